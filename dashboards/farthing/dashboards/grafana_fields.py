"""How Grafana shows each column: unit, heading, colour, bar, link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from farthing.dashboards.catalogue import VARIABLES
from farthing.dashboards.panel import Column, Hue, Link, Panel, Steps, Unit

Json = dict[str, Any]

_UNITS: Final[Mapping[Unit, str]] = {
    "usd": "currencyUSD",
    "tokens": "short",
    "count": "short",
    "share": "percentunit",
    "ratio": "suffix:x",
    "seconds": "s",
    "bytes": "bytes",
    "flag": "bool_yes_no",
}
USUAL: Final = "B"
"""The query of what is usual, beside a panel's own."""
_USUAL: Final[Json] = {
    "matcher": {"id": "byFrameRefID", "options": USUAL},
    "properties": [
        {"id": "custom.drawStyle", "value": "line"},
        {"id": "custom.lineInterpolation", "value": "stepAfter"},
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 6]}},
        {"id": "custom.lineWidth", "value": 1},
        {"id": "custom.fillOpacity", "value": 0},
        {"id": "custom.stacking", "value": {"mode": "none", "group": "A"}},
        {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}},
    ],
}
_HUES: Final[Mapping[Hue, str]] = {
    "red": "red",
    "orange": "orange",
    "amber": "yellow",
    "grey": "text",
}
_UNKNOWN: Final = "-"
"""Of a cell whose value is NULL. Not known is not zero."""

_DRAWN: Final[Mapping[str, Json]] = {
    "time_bars": {
        "drawStyle": "bars",
        "fillOpacity": 80,
        "lineWidth": 0,
        "stacking": {"mode": "normal", "group": "A"},
        "axisSoftMin": 0,
        "showPoints": "never",
    },
    "time_lines": {
        "drawStyle": "line",
        "fillOpacity": 0,
        "lineWidth": 2,
        "stacking": {"mode": "none", "group": "A"},
        "axisSoftMin": 0,
        "showPoints": "auto",
        "spanNulls": False,
    },
    "turn_bars": {"fillOpacity": 80, "lineWidth": 0, "axisSoftMin": 0},
    "turn_lines": {
        "drawStyle": "line",
        "fillOpacity": 10,
        "lineWidth": 2,
        "axisSoftMin": 0,
    },
    "bars": {"fillOpacity": 80, "lineWidth": 0, "axisSoftMin": 0},
    "scatter": {"show": "points", "pointSize": {"fixed": 6}},
    "table": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
    "stat": {},
}


def fields(one: Panel) -> Json:
    """The panel's `fieldConfig`."""
    value = one.columns[-1] if one.chart.startswith("time") else None
    unit = _UNITS.get(value.unit, "") if value else ""
    return {
        "defaults": {
            "custom": _DRAWN[one.chart],
            "color": {"mode": _colour(one)},
            "thresholds": _steps(value.steps if value else None),
            "mappings": [],
            "noValue": one.empty if value else _UNKNOWN,
            **({"unit": unit} if unit else {}),
            **({"displayName": "${__field.labels.series}"} if value else {}),
        },
        "overrides": [_USUAL] * bool(one.usual) + list(_judged(one))
        if value
        else [_override(one, column) for column in one.columns],
    }


def _judged(one: Panel) -> Iterator[Json]:
    """Series that are judgements have the same hues as on the page."""
    for name, hue in one.hues.items():
        colour = {"mode": "fixed", "fixedColor": _HUES[hue]}
        yield {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": colour}],
        }


def _colour(one: Panel) -> str:
    """By series where there are any; else by thresholds, of which most have none."""
    return "thresholds" if one.chart in ("stat", "table") else "palette-classic-by-name"


def _steps(steps: Steps | None) -> Json:
    """Without thresholds of its own a value has the colour of text: red and amber mean
    that something is wrong, green that something is good, and nothing else."""
    coloured: list[Json] = [{"value": None, "color": "text"}]
    if steps:
        coloured.append({"value": steps.warn, "color": "orange"})
        if steps.bad is not None:
            coloured.append({"value": steps.bad, "color": "red"})
    return {"mode": "absolute", "steps": coloured}


def _override(one: Panel, column: Column) -> Json:
    properties = [{"id": name, "value": value} for name, value in _shown(one, column)]
    return {
        "matcher": {"id": "byName", "options": column.name},
        "properties": properties,
    }


def _shown(one: Panel, column: Column) -> Iterator[tuple[str, Any]]:
    """What is particular to a column, as Grafana's properties."""
    yield "displayName", column.heading
    if column.unit in _UNITS:
        yield "unit", _UNITS[column.unit]
    if column.steps:
        yield "thresholds", _steps(column.steps)
    if column.link:
        yield "links", [_link(column.link, column)]
    if one.chart == "table":
        yield from _cell(column)
    elif _is_beside(one, column):
        yield "custom.hideFrom", {"viz": True, "legend": True, "tooltip": False}


def _is_beside(one: Panel, column: Column) -> bool:
    """Whether a chart of one value has this column as further information only."""
    return one.chart == "bars" and column not in one.columns[:2]


def _cell(column: Column) -> Iterator[tuple[str, Any]]:
    if column.unit == "sparkline":  # an array, which a cell of Grafana cannot draw
        yield "custom.hidden", True
    elif column.bar:
        yield "custom.cellOptions", {"type": "gauge", "mode": "basic"}
        yield "color", {"mode": "fixed", "fixedColor": "blue"}
        yield "min", 0
    elif column.steps:
        yield "custom.cellOptions", {"type": "color-text"}


def _link(link: Link, column: Column) -> Json:
    """Range and what is chosen stay; the linked variable gets the value."""
    kept = [
        f"${{{variable.name}:queryparam}}"
        for variable in VARIABLES
        if variable.name != link.variable
    ]
    chosen = f"var-{link.variable}=${{__value.raw:percentencode}}"
    query = "&".join([chosen, "${__url_time_range}", *kept])
    return {
        "title": f"Open {column.heading}",
        "url": f"/d/farthing-{link.dashboard}?{query}",
        "targetBlank": False,
    }
