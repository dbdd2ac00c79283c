"""Panels as charts: the specification that the browser draws."""

from __future__ import annotations

import json
from typing import Final

from markupsafe import Markup

from farthing.collector.web.page.asking import Rows
from farthing.dashboards.panel import Panel

_UNSAFE: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_PIXELS_OF_A_COLUMN: Final = 48
_PIXELS_OF_HEIGHT: Final = 30
_HEAD: Final = 90


def has_chart(panel: Panel) -> bool:
    """Whether a panel is drawn, besides its table."""
    return panel.chart not in ("stat", "table")


def chart_json(
    panel: Panel, rows: Rows, *, columns: int, height: int, bucket_s: int
) -> Markup:
    """Vega-Lite for a script element of type application/json: no text in it can end
    the element. `columns` and `height` are of the catalogue's grid."""
    from farthing.dashboards import charts  # 0.6 s: only once something is drawn

    frame = charts.Frame(
        columns * _PIXELS_OF_A_COLUMN,
        height * _PIXELS_OF_HEIGHT - _HEAD,
        bucket_s,
    )
    made = json.dumps(charts.spec(panel, rows, frame), separators=(",", ":"))
    return Markup(made.translate(_UNSAFE))  # noqa: S704 - nothing of HTML is left in it
