"""Panels as charts: the specification that the browser draws."""

from __future__ import annotations

import json
from typing import Final

from markupsafe import Markup

from farthing.collector.web.page.asking import Rows
from farthing.collector.web.page.links import row_url
from farthing.collector.web.page.tables import Place
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Panel

_UNSAFE: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_PIXELS: Final = 34
"""Of a unit of the catalogue's heights."""
_HEAD: Final = 90
"""Pixels of a card that are not its chart's."""


def has_chart(panel: Panel, rows: Rows) -> bool:
    """Whether anything is drawn, besides the table: it is known and not nothing."""
    return any(row[column.name] for row in rows for column in panel.drawn)


def chart_json(
    name: str, panel: Panel, rows: Rows, marks: Rows, *, height: int, place: Place,
    view: View,
) -> Markup:  # fmt: skip
    """Vega-Lite for a script element of type application/json: no text in it can end
    the element. `height` is of the catalogue's grid."""
    from farthing.dashboards import charts  # 0.6 s: only once something is drawn

    bucket_s = view.bucket_s(hourly=panel.hourly)
    frame = charts.Frame(
        "container",
        height * _PIXELS - _HEAD,
        bucket_s,
        span=(view.since, view.until),
        marks=marks if panel.marks else (),
        href=lambda row: row_url(name, panel, row, place.choice, bucket_s=bucket_s),
    )
    made = json.dumps(charts.spec(panel, rows, frame), separators=(",", ":"))
    return Markup(made.translate(_UNSAFE))  # noqa: S704 - nothing of HTML is left in it
