"""Stat panels as tiles: a number, and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from farthing.collector.report import amounts
from farthing.collector.web.page.asking import Answer
from farthing.collector.web.page.cells import UNKNOWN_CALLS, exact, shown, tone
from farthing.dashboards.catalogue import panel
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Column
from farthing.dashboards.sparkline import sparkline

FORECAST: Final = "forecast"
"""The panel whose tile is compared with what the month may cost."""
SPARKLINES: Final[Mapping[str, str]] = {"spend": "spend_by_model"}
"""Tiles with a line of what another panel of their dashboard says over time."""
SPLIT: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "run_summary": {
        "Cost": ("cost_usd", "times_median", UNKNOWN_CALLS),
        "Model calls": ("turns", "times_turns", "tool_calls"),
        "Peak context": ("peak_tokens", "first_tokens"),
        "Prompt from cache": ("cache_hit", "usual_hit"),
        "Without progress": ("wasted_usd", "wasted_share"),
        "Outcome": ("outcome",),
    },
    "cache_savings": {
        "Cache savings": ("net_usd", "saved_share", "unknown_calls"),
        "Saved by reads": ("saved_usd", "read_tokens"),
        "Paid extra for writes": ("paid_usd", "written_tokens"),
        "Prompt from cache": ("hit_rate", "before_rate"),
    },
    "waste": {
        "Waste": ("cost_usd", "share", UNKNOWN_CALLS),
        "Runs without progress": ("runs", "steps"),
    },
}
"""Panels that are several tiles where they have a row for themselves: the columns of
each, by its title."""
BRIEF: Final[Mapping[str, tuple[str, ...]]] = {
    "cache_savings": ("net_usd", "saved_share", "hit_rate", "unknown_calls"),
    "waste": ("cost_usd", "share", "runs", UNKNOWN_CALLS),
}
"""Panels of which a tile beside others shows these columns alone."""
_CHANGE: Final = "change"
_QUIET_AT_ZERO: Final = frozenset({UNKNOWN_CALLS, "unknown_calls"})


@dataclass(frozen=True, slots=True)
class Remark:
    """What a number is compared with."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its heading; `problem` stands for it where the question failed,
    `exact` is all of it where it is shown shorter, `unit` follows it."""

    panel: str
    title: str
    value: str
    tone: str
    remarks: tuple[Remark, ...]
    picture: str
    about: str
    problem: str
    exact: str = ""
    unit: str = ""


def tiles(
    answer: Answer,
    answers: Mapping[str, Answer],
    view: View,
    *,
    is_alone: bool,
    limit_usd: Decimal | None = None,
) -> Iterator[Tile]:
    """The tiles of a stat panel; `answers` are those of its page to a view, `is_alone`
    tells whether it has a row for itself, `limit_usd` what its forecast may be."""
    one = panel(answer.name)
    columns = {column.name: column for column in one.columns}
    whole = {one.title: BRIEF.get(answer.name, tuple(columns))}
    parts = SPLIT.get(answer.name, whole) if is_alone else whole
    row = answer.rows[0] if answer.rows else dict.fromkeys(columns)
    for title, (first, *others) in parts.items():
        head = columns[first]
        yield Tile(
            panel=answer.name,
            title=title,
            value=shown(head, row),
            unit="tokens" if head.unit == "tokens" and row[first] is not None else "",
            tone=tone(head, row[first]),
            remarks=(
                *_budget(row, limit_usd),
                *_remarks([columns[name] for name in others], row),
            ),
            picture=_line(answer.name, answers, view),
            about=one.description,
            problem=answer.problem or ("" if answer.rows else one.empty),
            exact=exact(head, row[first]),
        )


def _with_unit(column: Column, row: Mapping[str, Any]) -> str:
    is_bare = column.unit == "tokens" and row[column.name] is not None
    return f"{shown(column, row)} tokens" if is_bare else shown(column, row)


def _remarks(columns: list[Column], row: Mapping[str, Any]) -> Iterator[Remark]:
    for column in columns:
        value = row[column.name]
        if value is None or (column.name in _QUIET_AT_ZERO and not value):
            continue
        text = _with_unit(column, row)
        if column.name == _CHANGE:
            text = with_arrow(text, value)
        yield Remark(f"{text} {_heading(column, value)}", tone(column, value))


def _budget(row: Mapping[str, Any], limit_usd: Decimal | None) -> Iterator[Remark]:
    """What share of the budget the month will take; red where that is all of it."""
    if limit_usd is None or row["forecast_usd"] is None:
        return
    share = row["forecast_usd"] / limit_usd
    bound = "≥ " if row[UNKNOWN_CALLS] else ""
    yield Remark(
        f"heads for {bound}{amounts.share(float(share))} of the"
        f" {amounts.money(limit_usd)} budget",
        "bad" if share >= 1 else "",
    )


def with_arrow(text: str, change: Any) -> str:
    """A change as it is shown: one that rounds to nothing goes nowhere."""
    text = text.lstrip("+-")
    if not text.strip("0.,% "):
        return text
    return f"{'▲' if change > 0 else '▼'} {text}"


def _heading(column: Column, value: Any) -> str:
    """The column's heading, of one thing where there is one."""
    is_one = column.unit == "count" and value == 1
    return column.heading.removesuffix("s") if is_one else column.heading


def _line(name: str, answers: Mapping[str, Answer], view: View) -> str:
    """A line of the totals over time of the panel that SPARKLINES names, from its first
    bar to the end of the range. Where it has no bar nothing was spent; where nothing
    is known of a bar there is a gap."""
    source = answers.get(SPARKLINES.get(name, ""))
    if source is None or not source.rows:
        return ""
    one = panel(source.name)
    totals: dict[datetime, Decimal | None] = {}
    for row in source.rows:
        known, more = totals.get(row["time"]), row[one.columns[-1].name]
        totals[row["time"]] = known if more is None else (known or 0) + more
    step = timedelta(seconds=view.bucket_s(hourly=one.hourly))
    first, until = min(totals), view.until.replace(tzinfo=None)
    bars = range((until - first) // step + 1)
    return sparkline(
        [totals.get(first + at * step, Decimal(0)) for at in bars], said=amounts.money
    )
