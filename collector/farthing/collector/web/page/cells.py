"""Values of panels as the page shows them: text, colour, bar, line, where they lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from farthing.collector.report import amounts
from farthing.collector.report.plain import plain
from farthing.collector.web.page.choice import Choice
from farthing.collector.web.page.links import value_url
from farthing.dashboards.panel import Column, Unit
from farthing.dashboards.sparkline import sparkline

UNKNOWN: Final = "\N{EN DASH}"
LONGEST: Final = 60
"""Characters of a name that are shown before the rest is folded away."""
_LONGEST: Final[Mapping[str, int]] = {
    "span_id": 8,
    **dict.fromkeys(("why", "detail", "title"), 300),
}
"""Of columns that hold no names."""
_ONE_LINE: Final = 36

UNKNOWN_CALLS: Final = "unpriced_calls"
_BEFORE: Final = "before_usd"
"""Money of another range than that whose unknown calls are counted."""
_SIGNED: Final = frozenset({"change"})
_CODE: Final = frozenset({"run_id", "span_id", "what", "tool"})

CHIPS: Final[Mapping[str, Mapping[str, str]]] = {
    "verdict": {"ok": "calm", "errors": "warn"},
    "severity": {"info": "calm", "warning": "warn", "error": "serious"},
    "level": {"suspected": "warn", "withdrawn": "calm"},
}
"""Columns of judgements, with the tone of what is not bad."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as it is shown.

    `text` is cut where it is long, and `full` is all of it then. `tone` is calm,
    quiet, good, warn, serious or bad; `bar` a length from 0 to 1; `picture` an SVG of
    ours.
    """

    text: str
    unit: Unit
    full: str = ""
    href: str = ""
    tone: str = ""
    is_chip: bool = False
    is_code: bool = False
    bar: float | None = None
    picture: str = ""
    exact: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it may take more than one line."""
        return len(self.text) > _ONE_LINE

    @property
    def is_number(self) -> bool:
        """Whether it stands on the right of its column."""
        return self.unit not in ("text", "time", "flag", "sparkline")


def cell(
    column: Column,
    row: Mapping[str, Any],
    *,
    choice: Choice | None = None,
    run_id: str = "",
    longest: float = 0,
) -> Cell:
    """The cell of a column in a row. With a `choice` it leads somewhere; `run_id` is
    the run that the panel is about; `longest` is what its bar is compared with."""
    value = row[column.name]
    text = shown(column, row)
    longest_text = _LONGEST.get(column.name, LONGEST)
    is_cut = len(text) > longest_text
    chips = CHIPS.get(column.name) if value else None
    return Cell(
        text=f"{text[: longest_text - 1]}…" if is_cut else text,
        unit=column.unit,
        full=text if is_cut and column.name != "span_id" else "",
        href=value_url(column, row, choice, run_id=run_id) if choice else "",
        tone=chips.get(text, "bad")
        if chips
        else tone(column, value) or _quiet(column, value),
        is_chip=chips is not None,
        is_code=column.name in _CODE,
        bar=_bar(value, longest) if column.bar else None,
        picture=sparkline(value, said=_said) if column.unit == "sparkline" else "",
        exact=exact(column, value),
    )


def shown(column: Column, row: Mapping[str, Any]) -> str:
    """A value in words, with its unit; ≥ before money of which a part is not known."""
    value = row[column.name]
    if value is None or value == "":
        return UNKNOWN
    if column.unit == "usd":
        missing = column.name != _BEFORE and bool(row.get(UNKNOWN_CALLS))
        return amounts.money(value, lower_bound=missing)
    text = _WORDS[column.unit](value)
    return f"+{text}" if column.name in _SIGNED and value > 0 else text


def tone(column: Column, value: Any) -> str:
    """Red or amber by the column's thresholds, and nothing else."""
    steps = column.steps
    if steps is None or value is None or value < steps.warn:
        return ""
    return "bad" if steps.bad is not None and value >= steps.bad else "warn"


def utc(moment: datetime) -> str:
    """A time in UTC to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


_WORDS: Final[Mapping[Unit, Callable[[Any], str]]] = {
    "tokens": amounts.tokens,
    "count": amounts.count,
    "share": amounts.share,
    "ratio": lambda value: f"{value:.1f}\N{MULTIPLICATION SIGN}",
    "seconds": amounts.duration,
    "bytes": amounts.size,
    "time": utc,
    "text": str,
    "flag": lambda value: "yes" if value else "no",
    "sparkline": lambda _: "",
}


def _said(tokens: Any) -> str:
    return f"{amounts.tokens(tokens)} tokens"


def _quiet(column: Column, value: Any) -> str:
    """Nothing that is missing needs no look."""
    return "quiet" if column.name == UNKNOWN_CALLS and not value else ""


def _bar(value: Any, longest: float) -> float | None:
    return float(abs(value)) / longest if value and longest else None


def exact(column: Column, value: Any) -> str:
    """Every digit of what is shown shorter, and times as machines read them."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    if column.unit == "usd" and value is not None:
        return f"{plain(value)} USD"
    if column.unit == "tokens" and value is not None:
        return f"{value:,} tokens"
    return ""
