"""What is told: an alert as it stood at one moment, and the notice that carries it.

An `Alert` is a snapshot of one incident, made by the state machine (`incident.py`); a
`Notice` is one message about it to one channel. Channels and what delivers to them know
these two and the `Outbox`, nothing else of this package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

Severity = Literal["critical", "error", "warning", "info"]
"""As PagerDuty names them."""
State = Literal["firing", "acknowledged", "resolved"]
Kind = Literal["trigger", "update", "acknowledge", "resolve"]
Unit = Literal[
    "usd", "usd_per_hour", "ratio", "share", "tokens", "calls", "seconds", "count"
]
"""What value and threshold are in: `ratio` is a multiple (3.2x), `share` of 1 (0.8)."""

SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "error", "critical")
"""From the least to the most severe."""

_TIMES: Final = ("opened_at", "since", "at", "resolved_at")
_AMOUNTS: Final = ("value", "threshold", "peak", "burn_usd_per_hour", "cost_usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One incident as it stood at `at`.

    `id` stays the same from the first message to the resolve, and is new when the same
    rule fires for the same subject again: it is the deduplication key of channels.
    `sequence` counts what happened to the incident, from 1: of two snapshots the one
    with the higher is newer. Times are UTC. Where a number is not known it is None.

    Attributes:
        rule: Name of the rule.
        subject: What it fired for, as one word for people: a run, `team/2026-11` …
        labels: Who and what it concerns: run_id, task_type, business_unit, team, user,
            agent, service, environment … as far as known; never empty texts.
        severity: Now; an alert may escalate.
        state: firing, acknowledged or resolved.
        title: One line: what is wrong with what, without markup.
        summary: One to three plain sentences: what, how much against what, the pattern.
        value: Now, in `unit`; `peak` is the worst since it opened.
        threshold: What value crossed.
        lower_bound: Whether value is one, because some calls have no known cost.
        since: When it began, which is before it was seen.
        burn_usd_per_hour: What it costs per hour while it goes on.
        cost_usd: What it has cost so far.
        owner: Who is to act, as the configuration names them; empty if nobody is named.
        url: Where to look at the subject; empty if no page is configured.
        runbook: What to do, as a URL or a path of our documentation; may be empty.
        members: Of a group: subjects of the alerts that it stands for.
        by: Who acknowledged it; empty where nobody did.
        why_resolved: `cleared`, `ended`, `withdrawn`, `rule removed` …; else empty.
    """

    id: str
    rule: str
    subject: str
    labels: Mapping[str, str]
    severity: Severity
    state: State
    sequence: int
    title: str
    summary: str
    value: Decimal
    peak: Decimal
    threshold: Decimal
    unit: Unit
    lower_bound: bool = False
    opened_at: datetime
    since: datetime
    at: datetime
    resolved_at: datetime | None = None
    burn_usd_per_hour: Decimal | None = None
    cost_usd: Decimal | None = None
    owner: str = ""
    url: str = ""
    runbook: str = ""
    members: tuple[str, ...] = ()
    by: str = ""
    why_resolved: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON's types only; amounts are texts, so that no digit is lost."""
        told = asdict(self)
        for name in _TIMES:
            told[name] = None if told[name] is None else told[name].isoformat()
        for name in _AMOUNTS:
            told[name] = None if told[name] is None else format(told[name], "f")
        return told | {"labels": dict(self.labels), "members": list(self.members)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Alert:
        """What `to_json` made."""
        fields = dict(told)
        for name in _TIMES:
            if fields[name] is not None:
                fields[name] = datetime.fromisoformat(fields[name])
        for name in _AMOUNTS:
            if fields[name] is not None:
                fields[name] = Decimal(fields[name])
        return cls(**fields | {"members": tuple(fields["members"])})


def alert_id(rule: str, identity: str, opened_at: datetime) -> str:
    """The id of the incident that opened at a moment: 32 hex digits."""
    named = json.dumps([rule, identity, opened_at.isoformat()])
    return hashlib.sha256(named.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message about `alert` to one channel.

    Its identity is `key`: what is put twice is there once. `sequence` is the alert's:
    notices of one alert to one channel are sent in its order. `attempts` counts those
    that failed; `next_try` is when it may be sent.
    """

    alert: Alert
    channel: str
    kind: Kind
    next_try: datetime
    attempts: int = 0
    reason: str = ""

    @property
    def sequence(self) -> int:
        """The alert's."""
        return self.alert.sequence

    @property
    def key(self) -> str:
        """Fit for an idempotency key."""
        return f"{self.alert.id}:{self.channel}:{self.sequence}"

    def again(self, reason: str, next_try: datetime) -> Notice:
        """The same after an attempt that failed."""
        tried = self.attempts + 1
        return replace(self, attempts=tried, reason=reason, next_try=next_try)


class Outbox(Protocol):
    """What waits to be told. Every method is durable when it returns, and safe to call
    from several threads."""

    def put(self, notices: Sequence[Notice]) -> None:
        """Add notices; those that are there already, by key, change nothing."""

    def due(self, now: datetime, *, limit: int = 100) -> Sequence[Notice]:
        """Of each alert and channel the first notice not done yet, if its time has
        come; the oldest first. What follows it waits for it."""

    def next_due(self) -> datetime | None:
        """When `due` may next have something; None if nothing waits."""

    def done(
        self,
        notice: Notice,
        reference: Mapping[str, str] | None = None,
        *,
        then: Sequence[Notice] = (),
    ) -> None:
        """It was delivered; `reference` is kept for the alert and channel, and `then`
        is put, at the same moment."""

    def failed(self, notice: Notice, reason: str, *, retry_at: datetime) -> None:
        """It was not delivered, and is due again at `retry_at`."""

    def dead(self, notice: Notice, reason: str) -> None:
        """It never will be: kept as a dead letter, and no longer in the way."""

    def reference(self, alert_id: str, channel: str) -> Mapping[str, str]:
        """What `done` last kept for an alert and channel; empty if nothing."""

    def firing(self, channel: str) -> Sequence[Alert]:
        """Alerts that a channel was told of and not yet of the resolve, as last told:
        for channels that want to be told again and again."""

    def dead_letters(self, *, limit: int = 100) -> Sequence[Notice]:
        """The newest first; `reason` says why."""
