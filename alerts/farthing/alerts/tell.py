"""Who is to be told what of an incident, now: from its state, not from what changed.

What was told is part of the incident, so telling again tells nothing new, and whatever
was missed (a silence that ended, a route that was added, a crash before the write) is
made up for the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from farthing.alerts.alert import SEVERITIES, Alert, Kind, Notice, State
from farthing.alerts.incident import Incident
from farthing.alerts.policy import Policy, Silence
from farthing.alerts.rule import Inhibition, Rule

_SAYS_THE_LEVEL: Final = frozenset(("trigger", "update"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that decides who is told: the same for every incident of one evaluation."""

    policy: Policy
    rules: Mapping[str, Rule]
    silences: Sequence[Silence]
    firing: Sequence[Incident]
    now: datetime


def labels_of(incident: Incident) -> dict[str, str]:
    """What routes, owners and silences are matched with."""
    told = {"rule": incident.rule, "severity": incident.severity}
    return {**incident.labels, **told}


def why_muted(incident: Incident, situation: Situation) -> str:
    """Why nobody is told of an incident at present; empty where they are."""
    if incident.group:
        return f"part of {incident.group}"
    labels = labels_of(incident)
    for silence in situation.silences:
        if silence.fits(labels):
            return f"silenced until {silence.until:%Y-%m-%d %H:%M} UTC ({silence.id})"
    rule = situation.rules.get(incident.rule)
    for inhibition in () if rule is None else rule.inhibited_by:
        for other in situation.firing:
            if _inhibits(other, incident, inhibition):
                return f"inhibited by {other.rule} of {other.shown}"
    return ""


def tell(incident: Incident, situation: Situation) -> tuple[Incident, list[Notice]]:
    """The incident as it is told now, and the notices that tell it."""
    if incident.phase == "pending":
        return incident, []
    kinds = _kinds(incident, situation)
    is_new = incident.is_firing and not incident.muted and not incident.sequence
    if not kinds and not is_new:
        return incident, []
    told = _noted(incident, kinds, now=situation.now)
    alert = snapshot(told, situation)
    return told, [
        Notice(alert=alert, channel=channel, kind=kind, next_try=situation.now)
        for channel, kind in kinds.items()
    ]


def snapshot(incident: Incident, situation: Situation) -> Alert:
    """The incident as channels are told of it."""
    labels, policy = labels_of(incident), situation.policy
    rule = situation.rules.get(incident.rule)
    return Alert(
        id=incident.id,
        rule=incident.rule,
        subject=incident.shown,
        labels=dict(incident.labels),
        severity=incident.severity,
        state=_state(incident),
        sequence=incident.sequence,
        title=incident.title,
        summary=incident.summary,
        value=incident.value,
        peak=incident.peak,
        threshold=incident.threshold,
        unit=incident.unit,
        lower_bound=incident.lower_bound,
        opened_at=incident.opened_at,
        since=incident.since,
        at=situation.now,
        resolved_at=incident.resolved_at,
        burn_usd_per_hour=incident.burn_usd_per_hour,
        cost_usd=incident.cost_usd,
        owner=policy.owner_of(labels),
        url=policy.url_of(labels),
        runbook="" if rule is None else policy.runbook_of(rule),
        members=incident.members,
        by=incident.acknowledged_by,
        why_resolved=incident.why_resolved,
    )


def _kinds(incident: Incident, situation: Situation) -> dict[str, Kind]:
    """What each channel is to be told."""
    if not incident.is_open:
        return dict.fromkeys(incident.told, "resolve")
    kinds: dict[str, Kind] = {}
    if incident.acknowledged_by and not incident.told_acknowledged:
        kinds |= dict.fromkeys(incident.told, "acknowledge")
    elif not incident.muted and _has_news(incident, situation):
        kinds |= dict.fromkeys(incident.told, "update")
    if not incident.muted:
        wanted = situation.policy.channels_for(labels_of(incident))
        kinds |= dict.fromkeys(_without(wanted, incident.told), "trigger")
    return kinds


def _has_news(incident: Incident, situation: Situation) -> bool:
    """Whether it escalated, or it is time to remind people of it."""
    if incident.level > incident.told_level:
        return True
    if incident.acknowledged_by or incident.told_at is None:
        return False
    rule = situation.rules.get(incident.rule)
    own = None if rule is None else rule.repeat
    repeat_s = situation.policy.repeat if own is None else own
    due = incident.told_at + timedelta(seconds=repeat_s)
    return bool(repeat_s) and situation.now >= due


def _noted(incident: Incident, kinds: Mapping[str, Kind], *, now: datetime) -> Incident:
    """The incident with what it is told of now written down in it."""
    said = set(kinds.values())
    says_level = bool(said & _SAYS_THE_LEVEL) or not incident.sequence
    new = [channel for channel, kind in kinds.items() if kind == "trigger"]
    return replace(
        incident,
        sequence=incident.sequence + 1,
        told=(*incident.told, *new),
        told_at=now,
        told_level=incident.level if says_level else incident.told_level,
        told_acknowledged=incident.told_acknowledged or "acknowledge" in said,
    )


def _state(incident: Incident) -> State:
    if not incident.is_open:
        return "resolved"
    return "acknowledged" if incident.acknowledged_by else "firing"


def _inhibits(other: Incident, incident: Incident, inhibition: Inhibition) -> bool:
    return (
        other.rule == inhibition.rule
        and other.id != incident.id
        and SEVERITIES.index(other.severity) >= SEVERITIES.index(inhibition.severity)
        and all(
            incident.labels.get(name)
            and incident.labels.get(name) == other.labels.get(name)
            for name in inhibition.equal
        )
    )


def _without(wanted: Iterable[str], told: Iterable[str]) -> list[str]:
    known = set(told)
    return [channel for channel in wanted if channel not in known]
