"""Panels as charts: specifications that the browser draws, or pictures."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Final

from markupsafe import Markup

from farthing.collector.web.page.asking import Rows
from farthing.collector.web.page.links import row_urls
from farthing.collector.web.page.tables import Place
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Panel

_UNSAFE: Final = {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_PIXELS: Final = 34
"""Of a unit of the catalogue's heights."""
_DOCUMENT_WIDTH: Final = 1100
_HEAD: Final = 90
"""Pixels of a card that are not its chart's."""


def load_charts() -> ModuleType:
    """What draws: 0.3 s and 34 MB, so only once somebody looks."""
    from farthing.dashboards import charts

    return charts


def has_chart(panel: Panel, rows: Rows) -> bool:
    """Whether anything is drawn, besides the table: it is known and not nothing."""
    return any(row[column.name] for row in rows for column in panel.drawn)


def chart_height(units: int) -> int:
    """Pixels of a chart in a card so many units of the catalogue's grid high."""
    return units * _PIXELS - _HEAD


def chart(
    name: str, panel: Panel, rows: Rows, *, marks: Rows, usual: Rows, height: int,
    place: Place, view: View,
) -> Markup:  # fmt: skip
    """A panel's chart, `height` units of the catalogue's grid high.

    On the page, Vega-Lite for a script element of type application/json: no text in it
    can end the element. In a document, SVG.
    """
    charts = load_charts()
    bucket_s = view.bucket_s(hourly=panel.hourly)
    frame = charts.Frame(
        _DOCUMENT_WIDTH if place.is_document else "container",
        chart_height(height),
        bucket_s,
        span=(view.since, view.until),
        marks=marks if panel.marks else (),
        usual=usual,
        href=None
        if place.is_document
        else row_urls(name, panel, place.choice, bucket_s=bucket_s),
    )
    spec = charts.spec(panel, rows, frame)
    if place.is_document:
        return Markup(charts.svg(spec))  # noqa: S704 - escaped by the renderer
    made = json.dumps(spec, separators=(",", ":"))
    for char, escaped in _UNSAFE.items():
        made = made.replace(char, escaped)
    return Markup(made)  # noqa: S704 - nothing of HTML is left in it
