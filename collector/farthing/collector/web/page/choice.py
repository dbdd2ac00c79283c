"""What a URL of the page chooses: a range of time, filters, how tables are sorted.

All of it stands in the query, so a view can be shared, and every link carries it on:
`range=7d`, or `from=2026-11-01&to=2026-11-08`; `task_type=a&task_type=b` and the other
variables of the catalogue; `sort=PANEL.COLUMN`, with `-` before it from high to low.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from farthing.dashboards.catalogue import VARIABLES
from farthing.dashboards.macros import View
from farthing.errors import ConfigError

RANGES: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "6h": ("Last 6 hours", timedelta(hours=6)),
    "1d": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
ALL, DATES = "all", "dates"
FILTERS: Final = tuple(variable.name for variable in VARIABLES)
_ALIASES: Final = {"24h": "1d"}
_WHOLE: Final[Mapping[int, timedelta]] = {
    len("2026-11-08"): timedelta(days=1, seconds=-1),
    len("2026-11-08T14:30"): timedelta(seconds=59),
}
"""What an end that is written so short holds besides: its day, its minute."""


class BadChoice(ConfigError):
    """The URL chooses something that there is not."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A column of a panel's table by which it is sorted."""

    column: str
    descending: bool

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.column}"


@dataclass(frozen=True, slots=True)
class Choice:
    """`range` is a key of RANGES, ALL or DATES; empty for the page's usual one.

    `since` and `until` are set with DATES only, as they were written.
    """

    range: str = ""
    since: str = ""
    until: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)

    @classmethod
    def read(cls, items: Iterable[tuple[str, str]]) -> Choice:
        """The choice in the pairs of a query; what is none of ours is left out.

        Raises BadChoice, which says what may be written.
        """
        given: dict[str, list[str]] = {}
        for name, value in items:
            if value:
                given.setdefault(name, []).append(value)
        since, until = (given.get(name, [""])[-1] for name in ("from", "to"))
        wanted = given.get("range", [DATES if since or until else ""])[-1]
        wanted = _ALIASES.get(wanted, wanted)
        if wanted not in {"", ALL, DATES, *RANGES}:
            known = ", ".join([*RANGES, ALL])
            raise BadChoice(f"range={wanted} is not known: choose one of {known}")
        dated = (since, until) if wanted == DATES else ("", "")
        for text in filter(None, dated):
            _moment(text)
        return cls(
            wanted,
            *dated,
            {name: tuple(given[name]) for name in FILTERS if name in given},
            dict(_sort(text) for text in given.get("sort", [])),
        )

    def with_range(self, usual_days: int) -> Choice:
        """The same, its range named even where it is the usual one."""
        return self if self.range else replace(self, range=f"{usual_days}d")

    def choosing(self, name: str, *values: str) -> Choice:
        """The same with a filter set anew; without values it is taken away. Sorting
        belongs to the page that it is left for."""
        chosen = {n: v for n, v in self.chosen.items() if n != name}
        if values:
            chosen[name] = values
        return replace(self, chosen=chosen, sorts={})

    def sorting(self, panel: str, sort: Sort) -> Choice:
        """The same with one table sorted anew."""
        return replace(self, sorts={**self.sorts, panel: sort})

    def without_sorts(self) -> Choice:
        """The same, tables in the order of their panels."""
        return replace(self, sorts={}) if self.sorts else self

    def url(self, path: str, **more: str) -> str:
        """`path` with the choice in its query; `path` is quoted already."""
        query = urlencode([*self.pairs(), *more.items()], quote_via=quote)
        return f"{path}?{query}" if query else path

    def pairs(self) -> list[tuple[str, str]]:
        """The choice as the pairs of a query."""
        told = [("range", self.range), ("from", self.since), ("to", self.until)]
        pairs = [(name, value) for name, value in told if value]
        for name, values in self.chosen.items():
            pairs += [(name, value) for value in values]
        return pairs + [("sort", f"{p}.{s}") for p, s in self.sorts.items()]

    def view(self, now: datetime, oldest: datetime) -> View:
        """The range in UTC and what is chosen; `oldest` is where ALL begins. Ranges up
        to now begin at a whole hour, as spend is kept by the hour.

        Raises BadChoice for a range that ends before it begins.
        """
        since, until = self._range(now, oldest)
        if since >= until:
            raise BadChoice(
                f"from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC is no"
                " range: let it begin before it ends, and not in the future"
            )
        return View(since, until, self.chosen)

    def _range(self, now: datetime, oldest: datetime) -> tuple[datetime, datetime]:
        if self.range == ALL:
            return min(oldest, now - timedelta(hours=1)), now
        if self.range != DATES:
            days = self.range.removesuffix("d")
            known = RANGES.get(self.range)
            since = now - (known[1] if known else timedelta(days=int(days)))
            return whole_hour(since), now
        until = now
        if self.until:
            whole = _WHOLE.get(len(self.until), timedelta())
            until = min(_moment(self.until) + whole, now)
        since = _moment(self.since) if self.since else until - timedelta(days=7)
        return since, until


def whole_hour(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _moment(text: str) -> datetime:
    """A date or a time, in UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(moment.astimezone(UTC), datetime.fromtimestamp(0, UTC))
    except (ValueError, OverflowError):
        raise BadChoice(
            f"{text!r} is no date: write 2026-11-08, or 2026-11-08T14:30 (UTC)"
        ) from None


def _sort(text: str) -> tuple[str, Sort]:
    panel, _, column = text.partition(".")
    return panel, Sort(column.removeprefix("-"), column.startswith("-"))
