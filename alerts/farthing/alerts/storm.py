"""A storm: many incidents of one rule at once are told as one.

Of those with the same `group_by` labels, the dearest `storm_cap` are told by
themselves; one further incident stands for the rest, is told again when their number
doubles, and ends with the last of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from farthing.alerts.alert import SEVERITIES
from farthing.alerts.incident import Incident, step
from farthing.alerts.reading import Reading
from farthing.alerts.rule import Rule

GROUP: Final = "group "
"""What the subject of an incident that stands for others begins with."""
_SHOWN: Final = 10


def gathered(incidents: Iterable[Incident], rule: Rule) -> list[Incident]:
    """The incidents of a rule, those that are too many put into their group."""
    found = {incident.id: incident for incident in incidents}
    groups: dict[str, list[Incident]] = defaultdict(list)
    for incident in found.values():
        if incident.is_firing and not _is_group(incident) and not incident.group:
            groups[_group(incident, rule)].append(incident)
    for group, members in groups.items():
        told = [incident for incident in members if incident.sequence]
        new = [i for i in members if not i.sequence and not i.muted]
        room = max(rule.storm_cap - len(told), 0)
        for incident in sorted(new, key=_dearest_first)[room:]:
            found[incident.id] = replace(incident, group=group)
    return list(found.values())


def groups_stepped(
    incidents: Iterable[Incident], rule: Rule, *, now: datetime
) -> list[Incident]:
    """The incidents that stand for others, after a look at those."""
    incidents = list(incidents)
    known = {i.subject: i for i in incidents if _is_group(i) and i.is_open}
    members: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        if incident.group and incident.is_firing:
            members[incident.group].append(incident)
    stepped = []
    for group in sorted(known.keys() | members.keys()):
        after = _stepped(known.get(group), group, members[group], rule=rule, now=now)
        if after is not None:
            stepped.append(after)
    return stepped


def _stepped(
    before: Incident | None,
    group: str,
    members: list[Incident],
    *,
    rule: Rule,
    now: datetime,
) -> Incident | None:
    members = sorted(members, key=_dearest_first)
    names = tuple(member.shown for member in members)
    severities = [member.severity for member in members]
    worst = max(severities, key=SEVERITIES.index, default=rule.severities[0])
    as_group = rule.model_copy(
        update={
            "title": rule.group_title,
            "summary": "{count} more at the same time: {examples}.",
            "unit": "count",
            "clear": Decimal(1),
            "pending_for": 0,
            "hold": 0,
            "min_samples": 0,
            "severities": (worst if members or before is None else before.severity,),
        }
    )
    after = step(before, _reading(group, members, rule), rule=as_group, now=now)
    return after and replace(after, members=names or after.members)


def _reading(group: str, members: list[Incident], rule: Rule) -> Reading:
    common = {
        name: members[0].labels[name]
        for name in (*rule.group_by, *rule.labels)
        if members and name in members[0].labels
    }
    shown = ", ".join(member.shown for member in members[:_SHOWN])
    rest = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    defaults = dict.fromkeys(rule.group_by, "unknown")
    values = {"count": len(members), "examples": f"{shown}{rest}", "rule": rule.name}
    return Reading(
        subject=group,
        shown=group.removeprefix(GROUP) or rule.name,
        value=Decimal(len(members)),
        threshold=Decimal(1),
        clear=Decimal(1),
        level=max(len(members).bit_length() - 1, 0),
        since=min((member.since for member in members), default=None),
        cost_usd=_sum(member.cost_usd for member in members),
        burn_usd_per_hour=_sum(member.burn_usd_per_hour for member in members),
        lower_bound=any(member.lower_bound for member in members),
        labels=common,
        values={**defaults, **common, **values},
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _is_group(incident: Incident) -> bool:
    return incident.subject.startswith(GROUP)


def _group(incident: Incident, rule: Rule) -> str:
    labels: Mapping[str, str] = incident.labels
    told = " ".join(f"{name}={labels.get(name, '')}" for name in rule.group_by)
    return f"{GROUP}{told}"


def _dearest_first(incident: Incident) -> tuple[Decimal, Decimal, str]:
    cost = incident.cost_usd or Decimal(0)
    return (-cost, -incident.value, incident.subject)
