"""Grafana's dashboards, made of the catalogue: classic JSON, for Grafana from 11.6 on.

The form is that of dashboards with `schemaVersion` 41, which Grafana 13 migrates by
itself; queries are those of the ClickHouse plugin (`grafana-clickhouse-datasource`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from farthing.dashboards.catalogue import (
    DASHBOARDS,
    Dashboard,
    Variable,
    panel,
    variables,
)
from farthing.dashboards.grafana_fields import USUAL, fields
from farthing.dashboards.panel import Chart, Panel

Json = dict[str, Any]

SCHEMA_VERSION: Final = 41
PLUGIN: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.20.0"
SOURCE: Final[Mapping[str, str]] = {"type": PLUGIN, "uid": "${datasource}"}
TAG: Final = "farthing"
_TIME_SERIES, _TABLE = 0, 1

_LEGEND: Final = {
    "displayMode": "list",
    "placement": "bottom",
    "showLegend": True,
    "calcs": [],
}
_TOOLTIP: Final = {"mode": "multi", "sort": "desc"}
_CHARTS: Final[Mapping[Chart, tuple[str, Json]]] = {
    "stat": (
        "stat",
        {
            "reduceOptions": {
                "calcs": ["lastNotNull"],
                "fields": "/.*/",
                "values": False,
            },
            "textMode": "value_and_name",
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "vertical",
            "wideLayout": True,
        },
    ),
    "time_bars": ("timeseries", {"legend": _LEGEND, "tooltip": _TOOLTIP}),
    "time_lines": ("timeseries", {"legend": _LEGEND, "tooltip": _TOOLTIP}),
    "turn_bars": (
        "barchart",
        {
            "xField": "turn",
            "stacking": "normal",
            "orientation": "auto",
            "showValue": "never",
            "barWidth": 0.9,
            "groupWidth": 0.7,
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 100,
            "fullHighlight": False,
            "legend": _LEGEND,
            "tooltip": _TOOLTIP,
        },
    ),
    "turn_lines": (
        "trend",
        {"xField": "turn", "legend": _LEGEND, "tooltip": _TOOLTIP},
    ),
    "bars": (
        "barchart",
        {
            "stacking": "none",
            "orientation": "horizontal",
            "showValue": "auto",
            "barWidth": 0.8,
            "groupWidth": 0.7,
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 0,
            "fullHighlight": False,
            "legend": {**_LEGEND, "showLegend": False},
            "tooltip": _TOOLTIP,
        },
    ),
    "scatter": (
        "xychart",
        {
            "mapping": "auto",
            "series": [],
            "legend": _LEGEND,
            "tooltip": {"mode": "single", "sort": "none"},
        },
    ),
    "table": (
        "table",
        {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
    ),
}


def uid(name: str) -> str:
    """What Grafana knows a dashboard of ours by, the same in every installation."""
    return f"farthing-{name}"


def compiled(of: Dashboard) -> Json:
    """A dashboard as Grafana takes it."""
    return {
        "uid": uid(of.id),
        "title": f"Farthing: {of.title}",
        "description": of.question,
        "tags": [TAG],
        "timezone": "utc",
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "1m",
        "time": {"from": f"now-{of.days}d", "to": "now"},
        "timepicker": {},
        "links": [_others()],
        "annotations": {"list": []},
        "templating": {
            "list": [_data_source(), *map(_variable, variables(of))],
        },
        "panels": list(_panels(of)),
    }


def files() -> Mapping[str, str]:
    """Every dashboard's file by its name, `<id>.json`, the same for the same panels."""
    return {
        f"{one.id}.json": json.dumps(compiled(one), indent=1, ensure_ascii=False) + "\n"
        for one in DASHBOARDS
    }


def _panels(of: Dashboard) -> Iterator[Json]:
    """Its panels from left to right and down, numbered from 1."""
    number = top = 0
    for row in of.rows:
        left = 0
        for name, width in row.panels:
            number += 1
            place = {"x": left, "y": top, "w": width, "h": row.height}
            yield {"id": number, "gridPos": place, **_panel(panel(name))}
            left += width
        top += row.height


def _panel(one: Panel) -> Json:
    kind, options = _CHARTS[one.chart]
    return {
        "type": kind,
        "title": one.title,
        "description": one.description,
        "datasource": dict(SOURCE),
        "targets": list(_targets(one)),
        "options": options,
        "fieldConfig": fields(one),
        **({"interval": "1h"} if one.hourly and one.chart.startswith("time") else {}),
    }


def _targets(one: Panel) -> Iterator[Json]:
    yield _target(one, "A")
    if one.usual:
        yield _target(panel(one.usual), USUAL)


def _target(one: Panel, ref: str) -> Json:
    over_time = one.chart.startswith("time")
    return {
        "refId": ref,
        "datasource": dict(SOURCE),
        "editorType": "sql",
        "queryType": "timeseries" if over_time else "table",
        "format": _TIME_SERIES if over_time else _TABLE,
        "rawSql": one.text,
        "pluginVersion": PLUGIN_VERSION,
    }


def _data_source() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Ledger",
        "query": PLUGIN,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "regex": "",
        "options": [],
        "current": {},
    }


def _variable(one: Variable) -> Json:
    """All of it until something is chosen, except of what must be chosen."""
    must = one.name == "run"
    return {
        "type": "query",
        "name": one.name,
        "label": one.title,
        "datasource": dict(SOURCE),
        "query": {"editorType": "sql", "rawSql": one.sql},
        "hide": 0,
        "multi": not must,
        "includeAll": not must,
        "refresh": 2,
        "regex": "",
        "sort": 0,
        "skipUrlSync": False,
        "options": [],
        "current": {} if must else {"text": ["All"], "value": ["$__all"]},
    }


def _others() -> Json:
    """The menu of all dashboards of ours; range and what is chosen stay."""
    return {
        "type": "dashboards",
        "title": "Farthing",
        "tags": [TAG],
        "asDropdown": True,
        "keepTime": True,
        "includeVars": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
