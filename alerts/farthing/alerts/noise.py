"""How much of what was told was noise: what nobody took up, what came and went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from farthing.alerts.incident import Incident

SHORT: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Noise:
    """What a rule fired since a moment. `short` ended within five minutes, `untaken`
    ended without that anybody acknowledged it, `muted` were told to nobody."""

    rule: str
    fired: int
    untaken: int
    short: int
    muted: int
    messages: int


def noise(incidents: Iterable[Incident], *, since: datetime) -> list[Noise]:
    """By rule, the one with the most messages first."""
    by_rule: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        if incident.fired_at is not None and incident.fired_at >= since:
            by_rule[incident.rule].append(incident)
    found = [_of(rule, fired) for rule, fired in by_rule.items()]
    return sorted(found, key=lambda one: (-one.messages, -one.fired, one.rule))


def _of(rule: str, fired: list[Incident]) -> Noise:
    told = [i for i in fired if i.told]
    return Noise(
        rule=rule,
        fired=len(fired),
        untaken=sum(not i.is_open and not i.acknowledged_by for i in told),
        short=sum(_lasted(i) < SHORT for i in told if not i.is_open),
        muted=sum(not i.told for i in fired),
        messages=sum(i.sequence for i in told),
    )


def _lasted(incident: Incident) -> timedelta:
    end = incident.resolved_at or incident.seen_at
    return end - (incident.fired_at or incident.opened_at)
