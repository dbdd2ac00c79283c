"""The life of an incident: pending ▶ firing ▶ recovering ▶ resolved.

    after = step(before, reading, rule=rule, now=now)

One rule and subject have at most one incident that is not resolved. Only a reading
moves it: where an evaluation was missed, failed, or said nothing of the subject,
nothing is called and nothing changes. What is told of it, and to whom, is `tell.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from farthing.alerts.alert import Severity, Unit, alert_id
from farthing.alerts.reading import Reading
from farthing.alerts.rule import Rule
from farthing.alerts.wording import fill

Phase = Literal["pending", "firing", "recovering", "resolved"]

_TIMES: Final = (
    "opened_at",
    "since",
    "seen_at",
    "fired_at",
    "recovering_at",
    "resolved_at",
    "told_at",
)
_AMOUNTS: Final = (
    "value",
    "peak",
    "threshold",
    "cost_usd",
    "burn_usd_per_hour",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident, all that is remembered of it.

    Attributes:
        opened_at: The first reading above the threshold; part of the `id`.
        since: When the trouble itself began, as the rule sees it.
        seen_at: The last reading.
        level: The highest so far; `told_level` the highest that was told.
        sequence: How many snapshots of it were told.
        told: Channels that heard of it, and so hear of its end.
        group: The subject of the incident that stands for it; empty where it is told
            by itself.
        muted: Why nobody is told at present; empty where they are.
    """

    id: str
    rule: str
    subject: str
    shown: str
    phase: Phase
    opened_at: datetime
    since: datetime
    seen_at: datetime
    value: Decimal
    peak: Decimal
    threshold: Decimal
    unit: Unit
    level: int
    severity: Severity
    title: str
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    lower_bound: bool = False
    cost_usd: Decimal | None = None
    burn_usd_per_hour: Decimal | None = None
    fired_at: datetime | None = None
    recovering_at: datetime | None = None
    resolved_at: datetime | None = None
    why_resolved: str = ""
    acknowledged_by: str = ""
    told_at: datetime | None = None
    told_level: int = -1
    told_acknowledged: bool = False
    sequence: int = 0
    told: tuple[str, ...] = ()
    group: str = ""
    members: tuple[str, ...] = ()
    muted: str = ""

    @property
    def is_open(self) -> bool:
        return self.phase != "resolved"

    @property
    def is_firing(self) -> bool:
        """Whether people should know of it: one that recovers is not over yet."""
        return self.phase in ("firing", "recovering")

    def to_json(self) -> dict[str, Any]:
        """JSON's types only."""
        told = asdict(self)
        for name in _TIMES:
            told[name] = None if told[name] is None else told[name].isoformat()
        for name in _AMOUNTS:
            told[name] = None if told[name] is None else format(told[name], "f")
        return told | {"labels": dict(self.labels)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Incident:
        """What `to_json` made; by a later version too, whose fields we do not know."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in told.items() if name in known}
        for name in _TIMES:
            if values.get(name) is not None:
                values[name] = datetime.fromisoformat(values[name])
        for name in _AMOUNTS:
            if values.get(name) is not None:
                values[name] = Decimal(values[name])
        lists = {name: tuple(values.get(name, ())) for name in ("told", "members")}
        return cls(**values | lists)


def step(
    incident: Incident | None, reading: Reading, *, rule: Rule, now: datetime
) -> Incident | None:
    """The incident after a reading; None where there is none, or it came to nothing."""
    if incident is None:
        return _opened(reading, rule, now) if _breaches(reading, rule) else None
    if reading.is_last_word:
        gone = resolved(replace(incident, seen_at=now), reading.closing, now=now)
        return None if incident.phase == "pending" else gone
    seen = _seen(incident, reading, rule=rule, now=now)
    if seen.phase == "pending":
        return _pending(seen, reading, rule=rule, now=now)
    if not reading.is_clear:
        return replace(seen, phase="firing", recovering_at=None)
    since = seen.recovering_at or now
    if not reading.closing and now - since < timedelta(seconds=rule.hold):
        return replace(seen, phase="recovering", recovering_at=since)
    return resolved(seen, reading.closing or "cleared", now=now)


def resolved(incident: Incident, why: str, *, now: datetime) -> Incident:
    """The incident at its end."""
    return replace(incident, phase="resolved", resolved_at=now, why_resolved=why)


def _breaches(reading: Reading, rule: Rule) -> bool:
    return reading.is_breach(rule.min_samples)


def _opened(reading: Reading, rule: Rule, now: datetime) -> Incident:
    fires = rule.pending_for == 0
    return Incident(
        id=alert_id(rule.name, reading.subject, now),
        rule=rule.name,
        subject=reading.subject,
        phase="firing" if fires else "pending",
        fired_at=now if fires else None,
        opened_at=now,
        since=reading.since or now,
        unit=rule.unit,
        level=reading.level,
        severity=rule.severity(reading.level),
        peak=reading.value,
        **_told(reading, rule, now),
    )


def _seen(
    incident: Incident, reading: Reading, *, rule: Rule, now: datetime
) -> Incident:
    level = max(incident.level, reading.level)
    return replace(
        incident,
        level=level,
        severity=rule.severity(level),
        peak=max(incident.peak, reading.value),
        **_told(reading, rule, now),
    )


def _told(reading: Reading, rule: Rule, now: datetime) -> dict[str, Any]:
    """What each reading says anew."""
    return {
        "seen_at": now,
        "shown": reading.shown,
        "value": reading.value,
        "threshold": reading.threshold,
        "labels": {**rule.labels, **reading.labels},
        "lower_bound": reading.lower_bound,
        "cost_usd": reading.cost_usd,
        "burn_usd_per_hour": reading.burn_usd_per_hour,
        "title": fill(rule.title, reading.values),
        "summary": fill(rule.summary, reading.values),
    }


def _pending(
    incident: Incident, reading: Reading, *, rule: Rule, now: datetime
) -> Incident | None:
    if not _breaches(reading, rule):
        return None
    if now - incident.opened_at < timedelta(seconds=rule.pending_for):
        return incident
    return replace(incident, phase="firing", fired_at=now)
