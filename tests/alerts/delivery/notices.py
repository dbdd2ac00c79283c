"""Alerts and notices to tell of, a clock to set, an outbox as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from farthing.alerts.alert import Alert, Kind, Notice, State, alert_id

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
STATES: dict[Kind, State] = {"acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def alert(subject: str = "run-17", **changes: Any) -> Alert:
    """A run that costs more than three times its task type's median."""
    given: dict[str, Any] = {
        "id": alert_id("run-cost", subject, NOW),
        "rule": "run-cost",
        "subject": subject,
        "labels": {
            "run_id": subject,
            "task_type": "code-review",
            "business_unit": "platform",
            "team": "growth",
            "user": "ada",
        },
        "severity": "warning",
        "state": "firing",
        "sequence": 1,
        "title": f"{subject} costs 4.2x the median of code-review",
        "summary": "$1.26 against a median of $0.30; it reads one file over and over.",
        "value": Decimal("4.2"),
        "peak": Decimal("4.2"),
        "threshold": Decimal(3),
        "unit": "ratio",
        "opened_at": NOW,
        "since": NOW - timedelta(minutes=7),
        "at": NOW,
        "burn_usd_per_hour": Decimal("10.80"),
        "cost_usd": Decimal("1.26"),
        "owner": "@growth-oncall",
        "url": f"https://farthing.example/runs/{subject}",
        "runbook": "docs/alerts.md",
    }
    return Alert(**(given | changes))


def notice(
    kind: Kind = "trigger",
    *,
    channel: str = "c",
    of: Alert | None = None,
    **changes: Any,
) -> Notice:
    """A notice of that kind about an alert that stands as the kind says."""
    told = of or alert()
    ended = told.at if kind == "resolve" else None
    told = replace(told, state=STATES.get(kind, "firing"), resolved_at=ended)
    return Notice(
        alert=told, channel=channel, kind=kind, **({"next_try": told.at} | changes)
    )


def life(
    subject: str = "run-17", *, channel: str = "c", kinds: tuple[Kind, ...] = ()
) -> list[Notice]:
    """All notices about one alert, a second apart."""
    told = kinds or ("trigger", "update", "acknowledge", "resolve")
    return [
        notice(
            kind,
            channel=channel,
            of=alert(subject, sequence=n, at=NOW + timedelta(seconds=n - 1)),
            next_try=NOW,
        )
        for n, kind in enumerate(told, start=1)
    ]
