"""What a person needs to act on an alert, before any channel's markup.

Made of an alert's own fields alone, which hold names, numbers and links: message
content and secrets cannot get here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from farthing.alerts.alert import Alert, Kind, Notice, Unit
from farthing.alerts.wording import UNITS

MAX_MEMBERS: Final = 10
"""Of a group so many are named: with 20 in a message Slack refuses it."""

_HEADS: Final[dict[Kind, str]] = {
    "trigger": "",
    "update": "STILL FIRING, ",
    "acknowledge": "ACKNOWLEDGED, ",
    "resolve": "RESOLVED, ",
}
RUNBOOK: Final = "Runbook"
"""What the link to it is called."""
_MONEY: Final = frozenset({"usd", "usd_per_hour", "ratio"})
"""Units of what calls of unknown cost make a lower bound of: tokens are known."""
_WHO: Final = {
    "run_id": "Run",
    "task_type": "Task type",
    "agent": "Agent",
    "business_unit": "Business unit",
    "team": "Team",
    "user": "User",
    "service": "Service",
    "environment": "Environment",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known: `Owner`, `platform`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on: `https://…`, or a path of the documentation."""

    name: str
    target: str

    @property
    def is_url(self) -> bool:
        """Whether it can be followed."""
        return self.target.startswith(("https://", "http://"))


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in plain text, its parts apart.

    `headline` says severity and what is wrong with what; `summary` how much against
    what; `facts` whose it is, since when, what it costs; `links` where to look and what
    to do.
    """

    headline: str
    summary: str
    facts: tuple[Fact, ...]
    links: tuple[Link, ...]

    def text(self) -> str:
        """All of it on lines, for channels without markup."""
        facts = [f"{fact.name}: {fact.value}" for fact in self.facts]
        links = [f"{link.name}: {link.target}" for link in self.links]
        lines = [self.headline, self.summary, *facts, *links]
        return "\n".join(line for line in lines if line)


def message_of(notice: Notice) -> Message:
    """What `notice` says."""
    alert = notice.alert
    return Message(
        headline=f"{_HEADS[notice.kind]}{alert.severity.upper()}: {alert.title}",
        summary=alert.summary,
        facts=tuple(_facts(alert)),
        links=tuple(_links(alert)),
    )


def clip(text: str, size: int) -> str:
    """`text` of at most `size` characters, an ellipsis where something is missing."""
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _facts(alert: Alert) -> Iterator[Fact]:
    yield Fact("Owner", alert.owner or "nobody is named")
    yield Fact("Value", _against(alert))
    if alert.state == "resolved":
        yield from _outcome(alert)
    else:
        yield from _course(alert)
    if alert.by:
        yield Fact("Acknowledged by", alert.by)
    for label, name in _WHO.items():
        if label in alert.labels:
            yield Fact(name, alert.labels[label])
    if alert.members:
        yield Fact("Concerns", _members(alert.members))
    yield Fact("Rule", alert.rule)


def _course(alert: Alert) -> Iterator[Fact]:
    yield Fact("Since", _moment(alert.since, seen=alert.at))
    if alert.burn_usd_per_hour is not None:
        burns = _written(alert.burn_usd_per_hour, "usd_per_hour", low=alert.lower_bound)
        yield Fact("Burns", burns)
    if alert.cost_usd is not None:
        yield Fact(
            "Cost so far", _written(alert.cost_usd, "usd", low=alert.lower_bound)
        )


def _outcome(alert: Alert) -> Iterator[Fact]:
    ended = alert.resolved_at or alert.at
    yield Fact("Lasted", _lasted(ended - alert.since))
    yield Fact("Worst", _written(alert.peak, alert.unit, low=alert.lower_bound))
    if alert.cost_usd is not None:
        yield Fact("Cost", _written(alert.cost_usd, "usd", low=alert.lower_bound))
    if alert.why_resolved:
        yield Fact("Why", alert.why_resolved)


def _links(alert: Alert) -> Iterator[Link]:
    if alert.url:
        yield Link("Look at it", alert.url)
    if alert.runbook:
        yield Link(RUNBOOK, alert.runbook)


def _against(alert: Alert) -> str:
    value = _written(alert.value, alert.unit, low=alert.lower_bound)
    if not alert.threshold:  # a loop, whatever it costs
        return value
    return f"{value} (alert from {_written(alert.threshold, alert.unit)})"


def _moment(moment: datetime, *, seen: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({_lasted(seen - moment)} before this)"


def _members(members: tuple[str, ...]) -> str:
    named = ", ".join(members[:MAX_MEMBERS])
    more = len(members) - MAX_MEMBERS
    return f"{named} and {more} more" if more > 0 else named


def _written(value: Decimal, unit: Unit, *, low: bool = False) -> str:
    return f"{'≥ ' if low and unit in _MONEY else ''}{UNITS[unit](value)}"


def _lasted(duration: timedelta) -> str:
    return UNITS["seconds"](max(0.0, duration.total_seconds()))
