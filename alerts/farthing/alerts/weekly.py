"""The weekly report of noise: told to one channel, each Monday at 8:00 UTC.

It goes the way of every message, through the outbox. Its key is made of its week, so
that it is told once, however often the collector was started meanwhile; one that does
not run all Monday leaves a week out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from farthing.alerts.alert import Alert, Notice, alert_id
from farthing.alerts.file import AlertFile
from farthing.alerts.noise import Noise, noise
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy

NAME: Final = "noise-report"
_WEEK: Final = timedelta(days=7)
_AT: Final = timedelta(hours=8)
_LATEST: Final = timedelta(days=1)
_RULES: Final = 10


class WeeklyReport:
    """Put into the outbox for the policy's `weekly_report` when its time has come."""

    def __init__(self, file: AlertFile, policy: Policy) -> None:
        self._file = file
        self._policy = policy
        self._last: datetime | None = None

    def look(self, now: datetime) -> None:
        """Tell of the week that has ended, unless that was done."""
        due = _monday(now)
        channel = self._policy.weekly_report
        if not channel or due == self._last or now - due > _LATEST:
            return
        since = due - _WEEK
        known = self._file.incidents(limit=1_000_000)
        of_week = (i for i in known if i.fired_at is not None and i.fired_at < due)
        about = _report(noise(of_week, since=since), since, due, self._policy)
        notice = Notice(alert=about, channel=channel, kind="trigger", next_try=now)
        SqliteOutbox(self._file).put([notice])
        self._last = due


def _monday(now: datetime) -> datetime:
    """The last Monday at 8:00 UTC."""
    day = (now - _AT).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) + _AT


def _report(
    found: Sequence[Noise], since: datetime, until: datetime, policy: Policy
) -> Alert:
    """Over as it is told: nobody has to take it back."""
    alerts = sum(one.fired for one in found)
    messages = sum(one.messages for one in found)
    return Alert(
        id=alert_id(NAME, policy.weekly_report, until),
        rule=NAME,
        subject=f"{since:%F} to {until:%F}",
        labels={},
        severity="info",
        state="resolved",
        sequence=1,
        title=f"Alerts of the last week: {alerts:,}; messages: {messages:,}",
        summary="\n".join(map(_line, found[:_RULES])) or "No rule has fired.",
        value=Decimal(messages),
        peak=Decimal(messages),
        threshold=Decimal(0),
        unit="count",
        opened_at=since,
        since=since,
        at=until,
        resolved_at=until,
        owner=policy.owner_of({"rule": NAME}),
        url=policy.url_of({}),
    )


def _line(one: Noise) -> str:
    return (
        f"{one.rule}: fired {one.fired:,}, messages {one.messages:,}, acknowledged by"
        f" nobody {one.untaken:,}, over in 5 minutes {one.short:,}, told to nobody"
        f" {one.muted:,}"
    )
