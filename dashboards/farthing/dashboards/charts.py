"""Panels as charts: Vega-Lite, made with altair and drawn by vl-convert.

A chart shows what a table beside it says: tables and stats have none. Numbers become
floats here, and only here, because that is what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt
import vl_convert

from farthing.dashboards.panel import Chart, Column, Panel, Unit
from farthing.dashboards.theme import PAGE, Theme

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

_FORMATS: Final[Mapping[Unit, str]] = {
    "usd": "$,.4~f",
    "tokens": "~s",
    "count": ",~f",
    "share": ".0%",
    "ratio": ".1f",
    "seconds": ",.3~f",
    "bytes": "~s",
}
_DATES: Final = {
    "minutes": "%H:%M",
    "hours": "%H:%M",
    "day": "%a %d",
    "date": "%a %d",
    "week": "%d %b",
    "month": "%b %Y",
    "year": "%Y",
}
_GAP: Final = 0.1
"""Of a bar's width, so that bars stand apart."""
_LABELLED_TURNS: Final = 20
_SCALE: Final = 2
"""Pixels of a PNG per unit of its size: sharp on today's screens."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Width and height in CSS pixels, seconds of a bar over time, colours."""

    width: int
    height: int
    bucket_s: int = 3600
    theme: Theme = PAGE


def has_chart(panel: Panel) -> bool:
    """Whether there is more to show than its table."""
    return panel.chart in _CHARTS


def spec(panel: Panel, rows: Rows, frame: Frame) -> Json:
    """The chart as Vega-Lite, valid by its schema; a KeyError for a table or stat."""
    drawn = _CHARTS[panel.chart](panel, rows, frame)
    made: Json = (
        drawn.properties(
            width=frame.width,
            height=frame.height,
            description=f"{panel.title}. {panel.question}",
            padding=2,
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        )
        .configure(**frame.theme.config())
        .to_dict()
    )
    # `null`, not left out: else a white rectangle is drawn.
    return {**made, "background": frame.theme.background}


def svg(made: Json) -> str:
    """The chart as SVG, drawn without a browser."""
    return vl_convert.vegalite_to_svg(made)


def png(made: Json) -> bytes:
    """The chart as PNG; its theme must have colours of its own."""
    return vl_convert.vegalite_to_png(made, scale=_SCALE)


def _time_bars(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    value = panel.columns[-1]
    width = timedelta(seconds=frame.bucket_s * (1 - _GAP))
    data = [
        {**_plain(row), "until": _iso(row["time"] + width)}
        for row in rows
        if row[value.name] is not None
    ]
    made: alt.Chart = (
        _chart(data)
        .mark_bar()
        .encode(
            x=_time_axis(bin="binned"),
            x2="until:T",
            y=_value(value, stack="zero"),
            color=_colour("series", _names(rows, "series")),
            order=alt.Order("series:N"),
            tooltip=_tooltip(panel),
        )
    )
    return made


def _time_lines(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    del frame
    made: alt.Chart = (
        _chart([_plain(row) for row in rows])
        .mark_line(strokeWidth=2, point={"size": 12})
        .encode(
            x=_time_axis(),
            y=_value(panel.columns[-1]),
            color=_colour("series", _names(rows, "series")),
            tooltip=_tooltip(panel),
        )
    )
    return made


def _turn_bars(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    del frame
    columns = panel.columns[1:]
    data = [
        {
            "turn": row["turn"],
            "series": c.heading,
            "value": _number(row[c.name]),
            "at": n,
        }
        for row in rows
        for n, c in enumerate(columns)
        if row[c.name] is not None
    ]
    made: alt.Chart = (
        _chart(data)
        .mark_bar()
        .encode(
            x=_turn_axis(rows),
            y=_value(columns[0], name="value", stack="zero"),
            color=_colour("series", [c.heading for c in columns]),
            order=alt.Order("at:Q"),
            tooltip=["turn:Q", "series:N", _shown(columns[0], "value")],
        )
    )
    return made


def _turn_lines(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    value = panel.columns[1]
    made: alt.Chart = (
        _chart([_plain(row) for row in rows])
        .mark_area(
            line={"color": frame.theme.series[0]},
            color=frame.theme.series[0],
            fillOpacity=0.15,
            interpolate="step-after",
        )
        .encode(
            x=alt.X("turn:Q", title="turn"), y=_value(value), tooltip=_tooltip(panel)
        )
    )
    return made


def _bars(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    name, value = panel.columns[:2]
    made: alt.Chart = (
        _chart([_plain(row) for row in rows])
        .mark_bar(color=frame.theme.series[0])
        .encode(
            x=_axis(alt.X, value),
            y=alt.Y(f"{name.name}:N", sort=None, title=None),
            tooltip=_tooltip(panel),
        )
    )
    return made


def _scatter(panel: Panel, rows: Rows, frame: Frame) -> alt.Chart:
    del frame
    across, up, name = panel.columns[:3]
    made: alt.Chart = (
        _chart([_plain(row) for row in rows])
        .mark_circle(size=36, opacity=0.7)
        .encode(
            x=_axis(alt.X, across),
            y=_axis(alt.Y, up),
            color=_colour(name.name, _names(rows, name.name)),
            tooltip=_tooltip(panel),
        )
    )
    return made


_CHARTS: Final[Mapping[Chart, Callable[[Panel, Rows, Frame], alt.Chart]]] = {
    "time_bars": _time_bars,
    "time_lines": _time_lines,
    "turn_bars": _turn_bars,
    "turn_lines": _turn_lines,
    "bars": _bars,
    "scatter": _scatter,
}


def _chart(data: list[Json]) -> alt.Chart:
    return alt.Chart(alt.Data(values=data))  # type: ignore[no-untyped-call]


def _time_axis(**more: Any) -> alt.X:
    return alt.X(
        "time:T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format=_DATES, grid=False),
        **more,
    )


def _turn_axis(rows: Rows) -> alt.X:
    """An ordinal axis with some 20 labels."""
    every = max(1, len(rows) // _LABELLED_TURNS)
    shown = [row["turn"] for row in rows][::every]
    return alt.X(
        "turn:O", title="turn", axis=alt.Axis(values=shown, labelAngle=0, grid=False)
    )


def _value(column: Column, *, name: str = "", stack: Any = None) -> alt.Y:
    """The axis of a value. It starts at 0, so that lengths can be compared."""
    return alt.Y(
        f"{_escaped(name or column.name)}:Q",
        stack=stack,
        title=None,
        axis=alt.Axis(format=_FORMATS[column.unit], tickCount=5),
        scale=alt.Scale(zero=True, nice=True),
    )


def _axis(kind: Callable[..., Any], column: Column) -> Any:
    """An axis of numbers with its heading."""
    return kind(
        f"{_escaped(column.name)}:Q",
        title=column.heading,
        axis=alt.Axis(format=_FORMATS[column.unit], tickCount=5),
    )


def _colour(field: str, names: Sequence[str]) -> alt.Color:
    """A hue per name, in the order of names; of one name there is no legend."""
    legend = alt.Undefined if len(names) > 1 else None
    return alt.Color(f"{field}:N", scale=alt.Scale(domain=list(names)), legend=legend)


def _tooltip(panel: Panel) -> list[alt.Tooltip]:
    return [
        _shown(column, column.name)
        for column in panel.columns
        if column.unit != "sparkline"
    ]


def _shown(column: Column, name: str) -> alt.Tooltip:
    if column.unit == "time":
        return alt.Tooltip(f"{name}:T", title="UTC", format="%Y-%m-%d %H:%M")
    if column.unit in _FORMATS:
        return alt.Tooltip(
            f"{name}:Q", title=column.heading, format=_FORMATS[column.unit]
        )
    return alt.Tooltip(f"{name}:N", title=column.heading)


def _names(rows: Rows, column: str) -> list[str]:
    """Its values, sorted, so that a name keeps its hue; what is left over is last."""
    found = {str(row[column]) for row in rows}
    return sorted(found, key=lambda n: (n.endswith("others"), n.removeprefix("≥ ")))


def _plain(row: Mapping[str, Any]) -> Json:
    return {name: _number(value) for name, value in row.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return _iso(value) if isinstance(value, datetime) else value


def _iso(moment: datetime) -> str:
    """UTC with its Z; ClickHouse's client leaves the zone of UTC away."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def _escaped(name: str) -> str:
    """A field's name in altair's short form."""
    return name.replace(":", "\\:")
