"""Panels as charts: Vega-Lite, made with altair and drawn by vl-convert.

A chart shows what a table beside it says: tables and stats have none. Numbers become
floats here, and only here, because that is what is drawn; tooltips tell all digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import altair as alt
import vl_convert

from farthing.dashboards.chart_axes import (
    Json,
    Rows,
    colour,
    escaped,
    iso,
    names,
    number,
    number_axis,
    number_format,
    plain,
    time_axis,
    told,
    tooltip,
    turn_axis,
    value_axis,
)
from farthing.dashboards.chart_marks import bands, usual_dashes
from farthing.dashboards.panel import LOWER_BOUND, UNKNOWN_CALLS, Chart, Column, Panel
from farthing.dashboards.theme import PAGE, Theme

_ROWS: Final = "rows"
_GAP: Final = 0.1
"""Of a bar's width, so that bars stand apart."""
_THICK: Final = 22
"""Pixels of a horizontal bar, at most."""
_DOTS: Final = 30
"""Lines of no more points than this show them."""
_AROUND: Final = {"left": 2, "top": 2, "right": 2, "bottom": 2}
_CENTS: Final = 0.1
"""USD below which two digits say too little."""
_LABEL_ROOM: Final = 64
"""Pixels on the right of the longest bar, for its label."""
_SCALE: Final = 2
"""Pixels of a PNG per unit of its size: sharp on today's screens."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a chart is drawn.

    `width` and `height` are CSS pixels; in a page the width may be its container's.
    `bucket_s`: seconds of a bar over time. `span`: the times from which and to which is
    drawn; without it, those of the rows. `marks`: rows of the panel `run_marks`, drawn
    behind turns. `usual`: rows of the panel that says what is usual, drawn over bars of
    time. `href`: where a click on what is drawn of a row leads; "" is nowhere.
    """

    width: int | Literal["container"]
    height: int
    bucket_s: int = 3600
    theme: Theme = PAGE
    span: tuple[datetime, datetime] | None = None
    marks: Rows = ()
    usual: Rows = ()
    href: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Layers over `data`, or over those of `more` that they name; pixels to the right
    of them."""

    data: list[Json]
    layers: list[alt.Chart]
    more: Mapping[str, list[Json]] = field(default_factory=dict)
    right: int = _AROUND["right"]


def has_chart(panel: Panel) -> bool:
    """Whether there is more to show than its table."""
    return panel.chart in _CHARTS


def spec(panel: Panel, rows: Rows, frame: Frame) -> Json:
    """The chart as Vega-Lite, valid by its schema; a KeyError for a table or stat."""
    drawn = _CHARTS[panel.chart](panel, rows, frame)
    layers = [_plain(layer) for layer in drawn.layers]
    # Put together here: altair would copy each layer, and its data, again and again.
    return {
        "$schema": alt.SCHEMA_URL,
        "description": f"{panel.title}. {panel.question}",
        "width": frame.width,
        "height": frame.height,
        "padding": {**_AROUND, "right": drawn.right},
        "autosize": {"type": "fit", "contains": "padding"},
        # `null`, not left out: else a white rectangle is drawn.
        "background": frame.theme.background,
        "config": frame.theme.config(),
        "datasets": {_ROWS: drawn.data, **drawn.more},
        **({"layer": layers} if len(layers) > 1 else layers[0]),
    }


def _plain(layer: alt.Chart) -> Json:
    # The tests validate; here it would take longer than all else.
    return layer.to_dict(validate=False, context={"top_level": False})


def svg(made: Json) -> str:
    """The chart as SVG, drawn without a browser."""
    return vl_convert.vegalite_to_svg(made)


def png(made: Json) -> bytes:
    """The chart as PNG; its theme must have colours of its own."""
    return vl_convert.vegalite_to_png(made, scale=_SCALE)


def _time_bars(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    value = panel.columns[-1]
    shown = [row for row in rows if row[value.name] is not None]
    found = names(rows, "series")
    judged = [name for name in panel.hues if name in found]
    series = judged + [name for name in found if name not in judged]
    width = timedelta(seconds=frame.bucket_s * (1 - _GAP))
    data = [
        _row(panel, row, frame)
        | {"until": iso(row["time"] + width), "at": series.index(str(row["series"]))}
        for row in shown
    ]
    bars = _chart().mark_bar()
    drawn = bars.encode(
        x=time_axis(rows, frame.span, frame.bucket_s, bin="binned"),
        x2=alt.X2("until"),
        y=value_axis(value, _highest(shown, value.name), stack="zero"),
        color=colour("series", series, frame.theme, frame.width, panel.hues),
        order=alt.Order("at:Q"),
        **_common(panel, data),
    )
    dashes, usual = usual_dashes(frame.usual, value, width, frame.theme)
    return _Drawn(data, [drawn, *dashes], usual)


def _time_lines(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    value = panel.columns[-1]
    data = [_row(panel, row, frame) for row in rows]
    times = {row["time"] for row in rows}
    top = max((number(row[value.name]) or 0 for row in rows), default=0)
    lines = _chart().mark_line(
        strokeWidth=1.5, point={"size": 14} if len(times) <= _DOTS else False
    )
    drawn = lines.encode(
        x=time_axis(rows, frame.span, frame.bucket_s),
        y=value_axis(value, top),
        color=colour("series", names(rows, "series"), frame.theme, frame.width),
        **_common(panel, data),
    )
    return _Drawn(data, [drawn, *_limits(panel, top, frame.theme)])


def _turn_bars(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    columns = panel.columns[1:]
    data = [
        {
            "turn": row["turn"],
            "series": column.heading,
            "value": number(row[column.name]),
            "told": told(column, row[column.name]),
            "at": at,
        }
        for row in rows
        for at, column in enumerate(columns)
        if row[column.name]
    ]
    tops = [sum(number(row[c.name]) or 0 for c in columns) for row in rows]
    drawn = (
        _chart()
        .mark_bar()
        .encode(
            x=turn_axis(rows),
            y=value_axis(columns[0], max(tops, default=0), name="value", stack="zero"),
            color=colour(
                "series", [c.heading for c in columns], frame.theme, frame.width
            ),
            order=alt.Order("at:Q"),
            tooltip=[
                alt.Tooltip("turn:Q"),
                alt.Tooltip("series:N"),
                alt.Tooltip("told:N", title="of it"),
            ],
        )
    )
    behind, marks = bands(frame.marks, len(rows), frame.theme)
    return _Drawn(data, [*behind, drawn], marks)


def _turn_lines(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    value = panel.columns[1]
    hue = frame.theme.series[0]
    data = [_row(panel, row, frame) for row in rows]
    area = _chart().mark_area(
        line={"color": hue}, color=hue, fillOpacity=0.15, interpolate="step-after"
    )
    across = alt.X(
        "turn:Q",
        title="turn",
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
    )
    top = _highest(rows, value.name)
    drawn = area.encode(x=across, y=value_axis(value, top), **_common(panel, data))
    return _Drawn(data, [drawn])


def _bars(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    """With the value beside each bar, so without an axis of values."""
    name, value = panel.columns[:2]
    top = _highest(rows, value.name)
    data = [
        _row(panel, row, frame)
        | {"bound": _bound(row), "format": _digits(value, row[value.name], top)}
        for row in rows
    ]
    each = frame.height / max(len(rows), 1)
    across = alt.X(
        f"{escaped(value.name)}:Q",
        axis=None,
        scale=alt.Scale(domain=[0, top or 1], nice=False),
    )
    up = alt.Y(
        f"{name.name}:N",
        sort=None,
        title=None,
        scale=alt.Scale(padding=max(0.3, 1 - _THICK / each)),
        axis=alt.Axis(labelLimit=160),
    )
    bars = _chart().mark_bar(color=frame.theme.series[0])
    number = f"format(datum['{value.name}'], datum.format)"
    words = (
        _chart()
        .mark_text(align="left", dx=6, color=frame.theme.text)
        .transform_calculate(label=f"datum.bound + {number}")
    )
    return _Drawn(
        data,
        [
            bars.encode(x=across, y=up, **_common(panel, data)),
            words.encode(x=across, y=up, text=alt.Text("label:N")),
        ],
        right=_LABEL_ROOM,
    )


def _scatter(panel: Panel, rows: Rows, frame: Frame) -> _Drawn:
    across, up, name = panel.columns[:3]
    data = [_row(panel, row, frame) for row in rows]
    drawn = (
        _chart()
        .mark_circle(size=36, opacity=0.7)
        .encode(
            x=number_axis(alt.X, across, rows),
            y=number_axis(alt.Y, up, rows),
            color=colour(name.name, names(rows, name.name), frame.theme, frame.width),
            **_common(panel, data),
        )
    )
    return _Drawn(data, [drawn])


_CHARTS: Final[Mapping[Chart, Callable[[Panel, Rows, Frame], _Drawn]]] = {
    "time_bars": _time_bars,
    "time_lines": _time_lines,
    "turn_bars": _turn_bars,
    "turn_lines": _turn_lines,
    "bars": _bars,
    "scatter": _scatter,
}


def _chart() -> alt.Chart:
    """A layer; its data comes last, so that altair does not copy it. Channels are given
    as what they are (`alt.X2("until")`): of a text alone altair finds that out in ten
    times as long."""
    return alt.Chart(alt.NamedData(_ROWS))


def _row(panel: Panel, row: Mapping[str, Any], frame: Frame) -> Json:
    leads = frame.href(row) if frame.href else ""
    return plain(row, panel.columns) | ({"href": leads} if leads else {})


def _common(panel: Panel, data: list[Json]) -> Json:
    """What every mark has: what is told of it, and where a click on it leads."""
    linked = any("href" in row for row in data)
    return {"tooltip": tooltip(panel.columns)} | (
        {"href": alt.Href("href:N")} if linked else {}
    )


def _digits(column: Column, value: Any, top: float) -> str:
    """How the number beside a bar is written: like the largest one, but of cents that
    would be rounded to nothing, or to twice as much, with digits of their own."""
    is_small = column.unit == "usd" and 0 < float(value or 0) < _CENTS
    return number_format(column, float(value) if is_small else top)


def _bound(row: Mapping[str, Any]) -> str:
    """What stands before a value that lacks calls of unknown cost."""
    return LOWER_BOUND if row.get(UNKNOWN_CALLS.name) else ""


def _highest(rows: Rows, name: str) -> float:
    """Of the sums of a time's values, which stand on each other."""
    tops: dict[Any, float] = {}
    for at, row in enumerate(rows):
        place = row.get("time", at)
        tops[place] = tops.get(place, 0) + float(row[name] or 0)
    return max(tops.values(), default=0)


def _limits(panel: Panel, top: float, theme: Theme) -> list[alt.Chart]:
    """Dashed lines where the value becomes amber and red, if it comes near."""
    steps = panel.columns[-1].steps
    if steps is None or top < steps.warn / 2:
        return []
    found = [(steps.warn, theme.warn), (steps.bad, theme.bad)]
    return [
        _chart().mark_rule(strokeDash=[4, 4], color=hue).encode(y=alt.datum(limit))
        for limit, hue in found
        if limit is not None and limit <= top * 2
    ]
