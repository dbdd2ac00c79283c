"""What stands around every page: where to go, what is chosen, when it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from farthing.collector.web.page.choice import ALL, DATES, RANGES, Choice, whole_hour
from farthing.dashboards.catalogue import VARIABLES
from farthing.dashboards.macros import View

NAV: Final[Mapping[str, tuple[str, str]]] = {
    "overview": ("/", "Overview"),
    "cost": ("/dashboards/cost", "Cost per task"),
    "run": ("/runs", "Runs"),
    "loops": ("/dashboards/loops", "Loops"),
    "cache": ("/dashboards/cache", "Cache"),
    "models": ("/dashboards/models", "Models"),
    "tools": ("/dashboards/tools", "Tools"),
    "alerts": ("/dashboards/alerts", "Alerts"),
    "health": ("/dashboards/health", "Health"),
}
"""The dashboards of the catalogue, by id: path and short name."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place that one can go to."""

    url: str
    text: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One of what can be chosen."""

    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A choice among options; of several at once where the URL says so."""

    name: str
    title: str
    options: tuple[Option, ...]
    is_multiple: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything around a page's own content. `since` and `until` are set where dates
    are chosen; `range` says the range in words, `rule` what counts as being in it."""

    path: str
    nav: tuple[Stop, ...]
    ranges: Select
    since: str
    until: str
    filters: tuple[Select, ...]
    rule: str
    sorts: tuple[str, ...]
    reset_url: str
    range: str
    now: str
    runs_url: str


def frame(
    path: str,
    here: str,
    choice: Choice,
    view: View,
    offered: Mapping[str, Iterable[str]],
    *,
    now: datetime,
    usual_days: int,
) -> Frame:
    """The frame of the page at `path`, which belongs to the dashboard `here`; `offered`
    are the values of each variable."""
    kept = choice.without_sorts()
    is_dated = choice.range == DATES
    return Frame(
        path=path,
        nav=tuple(
            Stop(kept.url(url), text, name == here) for name, (url, text) in NAV.items()
        ),
        ranges=_ranges(choice.with_range(usual_days)),
        since=f"{view.since:%Y-%m-%dT%H:%M}" if is_dated else "",
        until=f"{view.until:%Y-%m-%dT%H:%M}" if is_dated else "",
        filters=tuple(
            _filter(
                variable.name,
                variable.title,
                choice.chosen.get(variable.name, ()),
                offered.get(variable.name, ()),
            )
            for variable in VARIABLES
        ),
        sorts=tuple(f"{panel}.{sort}" for panel, sort in choice.sorts.items()),
        reset_url=path if choice.chosen else "",
        range=f"{view.since:%Y-%m-%d %H:%M} to {view.until:%Y-%m-%d %H:%M} UTC",
        rule=_rule(view),
        now=f"{now:%Y-%m-%d %H:%M:%S}",
        runs_url=choice.with_range(usual_days).without_sorts().url("/runs"),
    )


def _rule(view: View) -> str:
    """What counts as being in the range, of panels of both kinds."""
    runs = "Runs count whole if they ended in it"
    first, last = whole_hour(view.since), whole_hour(view.until)
    if view.since == first:
        return f"{runs}."
    hours = f"{first:%H:%M} to {last:%H}:59"
    return f"{runs}, spend by whole hours: {hours}."


def _ranges(choice: Choice) -> Select:
    known = {name: text for name, (text, _) in RANGES.items()}
    known |= {ALL: "All time", DATES: "Dates …"}
    options = (Option(name, text, name == choice.range) for name, text in known.items())
    return Select("range", "Range", tuple(options), is_multiple=False)


def _filter(
    name: str, title: str, chosen: tuple[str, ...], offered: Iterable[str]
) -> Select:
    """What is chosen is among the options, whether or not the range has it."""
    values = dict.fromkeys((*chosen, *offered))
    shown = [value for value in values if len(value) <= _LONGEST or value in chosen]
    options = (Option(value, _cut(value), value in chosen) for value in sorted(shown))
    return Select(name, title, tuple(options), is_multiple=len(chosen) > 1)


_LONGEST: Final = 500
"""Longer names are shown in tables, but are too long for a list to choose from."""
_SHOWN: Final = 40


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
