"""Axes, hues and tooltips that charts share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt

from farthing.dashboards.panel import LOWER_BOUND, OTHERS, Column, Hue, Unit
from farthing.dashboards.theme import Theme

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

_FORMATS: Final[Mapping[Unit, str]] = {
    "tokens": "~s",
    "count": ",~f",
    "share": ".0%",
    "ratio": ".1f",
    "seconds": ",.3~f",
    "bytes": "~s",
}
_TOLD: Final[Mapping[Unit, Callable[[Any], str]]] = {
    "usd": lambda value: f"${_cents(value)}",
    "tokens": lambda value: f"{value:,}",
    "count": lambda value: f"{value:,}",
    "share": lambda value: f"{value:.2%}",
    "ratio": lambda value: f"{value:,.2f}x",
    "seconds": lambda value: f"{value:,} s",
    "bytes": lambda value: f"{value:,} bytes",
    "time": lambda value: f"{value:%Y-%m-%d %H:%M} UTC",
}
"""As exact as the ledger has it."""
_UNKNOWN: Final = "not known"
_TICKS: Final[tuple[tuple[timedelta, int | Json, str], ...]] = (
    (timedelta(hours=8), 8, "%H:%M"),
    (timedelta(hours=50), 8, "%a %H:%M"),
    (timedelta(days=15), {"interval": "day", "step": 1}, "%a %d"),
    (timedelta(days=100), {"interval": "week", "step": 1}, "%d %b"),
    (timedelta(days=400), {"interval": "month", "step": 1}, "%b %Y"),
    (timedelta.max, 8, "%b %Y"),
)
"""Up to this span: how many ticks or how often, and how their times are written. Of
hours a number, for with the interval `hour` of Vega-Lite's schema Vega fails."""
_TICK_COUNT: Final = 5
_SIZES: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_TURN_STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_LABELLED_TURNS: Final = 16
_LABEL_LENGTH: Final = 60
"""Of a name on a chart; tables and tooltips have all of it."""
_LETTER_WIDTH: Final = 6
_LEGEND_LABEL: Final = 220
_LEGEND_GAP: Final = 28
"""Pixels: of a letter, of a name in a legend at most, and between two of them."""
_NOT_JUDGED: Final[Mapping[str, Hue]] = {}
_BUCKET_HUES: Final = {
    "cache read": 0,
    "cache write": 5,
    "new input": 1,
    "reasoning": 3,
    "output": 2,
}
"""Tokens look alike wherever they stand: what is read from a cache and what is written
to it are of one family."""


def time_axis(
    rows: Rows, span: tuple[datetime, datetime] | None, bucket_s: int, **more: Any
) -> alt.X:
    """The whole span, so that a time without anything is seen as one."""
    times = [utc(row["time"]) for row in rows]
    since, until = span or (min(times, default=None), max(times, default=None))
    scale = alt.Scale(type="utc")
    axis = alt.Axis(grid=False)
    if since and until and (span or since < until):
        begins_ms, ends_ms = _whole(since, until, bucket_s)
        # As expressions: of plain numbers Vega-Lite makes calls of datetime(), which
        # Vega's interpreter, unlike eval, does not understand with one argument.
        scale = alt.Scale(
            type="utc",
            domainMin=alt.ExprRef(str(begins_ms)),
            domainMax=alt.ExprRef(str(ends_ms)),
        )
        _, ticks, shown = next(t for t in _TICKS if until - since <= t[0])
        written = f"utcFormat(datum.value, '{shown}')"
        axis = alt.Axis(grid=False, labelExpr=written, tickCount=ticks)
    return alt.X("time:T", scale=scale, title=None, axis=axis, **more)


def _whole(since: datetime, until: datetime, bucket_s: int) -> tuple[int, int]:
    """Milliseconds since 1970 at which the first bucket begins and the last ends."""
    begins = math.floor(since.timestamp() / bucket_s) * bucket_s
    return begins * 1000, math.ceil(until.timestamp() / bucket_s) * bucket_s * 1000


def turn_axis(rows: Rows) -> alt.X:
    """An ordinal axis of which not every turn is labelled, but the first one is."""
    enough = (n for n in _TURN_STEPS if len(rows) <= n * _LABELLED_TURNS)
    every = next(enough, _TURN_STEPS[-1])
    shown = [row["turn"] for row in rows][::every]
    return alt.X(
        "turn:O",
        title="turn",
        scale=alt.Scale(paddingInner=0.1),
        axis=alt.Axis(values=shown, labelAngle=0, grid=False),
    )


def value_axis(
    column: Column, top: float, *, name: str = "", stack: Any = None
) -> alt.Y:
    """The axis of a value up to `top`. It starts at 0, so lengths can be compared."""
    return alt.Y(
        f"{escaped(name or column.name)}:Q",
        stack=stack,
        title=None,
        axis=_numbers(column, top),
        scale=alt.Scale(zero=True, nice=True),
    )


def number_axis(kind: Callable[..., Any], column: Column, rows: Rows) -> Any:
    """An axis of numbers with its heading."""
    top = max((number(row[column.name]) or 0 for row in rows), default=0)
    return kind(
        f"{escaped(column.name)}:Q", title=column.heading, axis=_numbers(column, top)
    )


def _durations(top_s: float) -> alt.Axis:
    """Of a duration whole minutes, hours or days, whatever `top_s` needs."""
    size_s, unit = next(s for s in _SIZES if top_s >= 2 * s[0] or s[0] <= 1)
    steps = (size_s * n for n in _STEPS if top_s <= size_s * n * _TICK_COUNT)
    step_s = next(steps, size_s * _STEPS[-1])
    return alt.Axis(
        values=[step_s * n for n in range(math.ceil(top_s / step_s) + 1)],
        labelExpr=f"format(datum.value / {size_s}, ',~f') + ' {unit}'",
    )


def _numbers(column: Column, top: float) -> alt.Axis:
    """Of a count no halves, and a plain 0 where others have a letter or cents."""
    if column.unit == "seconds":
        return _durations(top)
    is_whole = column.unit in ("count", "tokens", "bytes")
    zero = "$0" if column.unit == "usd" else "0%" if column.unit == "share" else "0"
    return alt.Axis(
        format=number_format(column, top),
        tickCount=_TICK_COUNT,
        tickMinStep=1 if is_whole else alt.Undefined,
        # Of few things Vega marks halves in spite of the least step.
        values=list(range(math.ceil(top) + 1))
        if is_whole and top < _TICK_COUNT
        else alt.Undefined,
        labelExpr=f"datum.value ? datum.label : '{zero}'",
    )


def number_format(column: Column, top: float) -> str:
    """How the numbers of an axis up to `top` are written: money in cents, in dollars
    from a hundred up, with more digits below ten cents."""
    if column.unit != "usd":
        return _FORMATS[column.unit]
    if top >= 100:
        return "$,.0f"
    digits = 2 if top <= 0 else max(2, 1 - math.floor(math.log10(top)))
    return f"$,.{digits}f"


def colour(
    field: str,
    names: Sequence[str],
    theme: Theme,
    width: int | str,
    judged: Mapping[str, Hue] = _NOT_JUDGED,
) -> alt.Color:
    """A hue per name, in the order of names, or that of what is judged; of one name
    there is no legend."""
    hues = [
        _judgement(judged[name], theme) if name in judged else _hue(name, at, theme)
        for at, name in enumerate(names)
    ]
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(names), range=hues),
        legend=_legend(names, width) if len(names) > 1 else None,
    )


def _legend(names: Sequence[str], width: int | str) -> alt.Legend:
    """As many names beside each other as have room; page.js does it in a container."""
    if isinstance(width, str):
        return alt.Legend()
    longest = min(max(map(len, names)) * _LETTER_WIDTH, _LEGEND_LABEL)
    return alt.Legend(columns=max(1, width // (longest + _LEGEND_GAP)))


def _hue(name: str, at: int, theme: Theme) -> str:
    if name.removeprefix(LOWER_BOUND) == OTHERS:
        return theme.series[-1]
    own = len(theme.series) - 1
    return theme.series[_BUCKET_HUES.get(name, at % own)]


def _judgement(hue: Hue, theme: Theme) -> str:
    """As judgements look everywhere: red is bad, grey needs no look."""
    at = {"orange": 7, "amber": 1, "grey": -1}
    return theme.bad if hue == "red" else theme.series[at[hue]]


def names(rows: Rows, column: str) -> list[str]:
    """Its values, sorted, so that a name keeps its hue; what is left over is last."""
    found = {str(row[column]) for row in rows}
    plainly = {name: name.removeprefix(LOWER_BOUND) for name in found}
    return sorted(found, key=lambda name: (plainly[name] == OTHERS, plainly[name]))


def tooltip(columns: Sequence[Column]) -> list[alt.Tooltip]:
    """What is told of a mark: each value as exact as it is known."""
    return [
        alt.Tooltip(f"{_told_name(column.name)}:N", title=column.heading)
        for column in columns
        if column.unit != "sparkline"
    ]


def plain(row: Mapping[str, Any], columns: Sequence[Column]) -> Json:
    """A row as JSON: what is drawn, and what a tooltip tells of it."""
    drawn = {name: number(value) for name, value in row.items()}
    return drawn | {_told_name(c.name): told(c, row[c.name]) for c in columns}


def told(column: Column, value: Any) -> str:
    """A value in words of full precision."""
    if value is None:
        return _UNKNOWN
    return _TOLD.get(column.unit, str)(value)


def _told_name(name: str) -> str:
    return f"told_{name}"


def _cents(value: Decimal) -> str:
    """All digits that are not zeros at the end, two at least."""
    whole, _, part = f"{value:,f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def number(value: Any) -> Any:
    """What can be drawn: money as a float, a time as text."""
    if isinstance(value, Decimal):
        return float(value)
    return iso(value) if isinstance(value, datetime) else value


def utc(moment: datetime) -> datetime:
    """With its zone, which ClickHouse's client leaves away of UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """UTC with its Z."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def escaped(name: str) -> str:
    """A field's name in altair's short form."""
    return name.replace(":", "\\:")
