"""Colours and type of our charts: one for the page, two for pictures.

On the page colours are CSS variables, so one picture serves light and dark; what is
made outside a browser (PNG, PDF) needs colours of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Theme:
    """`series`: a hue per series, in their order; the last is that of all others.
    `warn` and `bad` are for what a person should look at, and for nothing else."""

    text: str
    muted: str
    grid: str
    background: str | None
    warn: str
    bad: str
    series: tuple[str, ...]

    def config(self) -> Mapping[str, Any]:
        """Vega-Lite's `config`: calm, dense, no frame, a grid that is hardly seen."""
        return {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {
                "domain": False,
                "ticks": False,
                "gridColor": self.grid,
                "labelColor": self.muted,
                "titleColor": self.muted,
                "labelFontSize": 11,
                "titleFontSize": 11,
                "titleFontWeight": "normal",
                "labelPadding": 6,
            },
            "axisX": {"grid": False, "labelOverlap": True, "labelSeparation": 8},
            "legend": {
                "orient": "top",
                "title": None,
                "labelColor": self.text,
                "labelFontSize": 11,
                "labelLimit": 220,
                "symbolType": "square",
                "symbolSize": 80,
            },
            "range": {"category": list(self.series)},
            "text": {"color": self.text, "fontSize": 11},
        }


_FONT: Final = "system-ui, sans-serif"
_SERIES: Final = 9

PAGE: Final = Theme(
    text="var(--text)",
    muted="var(--muted)",
    grid="var(--grid)",
    background=None,
    warn="var(--warn)",
    bad="var(--bad)",
    series=tuple(f"var(--series-{number})" for number in range(1, _SERIES + 1)),
)
LIGHT: Final = Theme(
    text="#1b2330",
    muted="#5b6675",
    grid="#e4e8ee",
    background="#ffffff",
    warn="#9a6700",
    bad="#b42318",
    series=(
        "#3b6fd4", "#dda02b", "#45a889", "#9b6fd0", "#d0638b",
        "#7fb0f0", "#8a9a3b", "#c9764a", "#9aa5b3",
    ),
)  # fmt: skip
DARK: Final = Theme(
    text="#e6eaf0",
    muted="#98a3b3",
    grid="#2c343f",
    background="#171c23",
    warn="#e5b04d",
    bad="#f0756b",
    series=(
        "#5b8def", "#e5b04d", "#58bd9d", "#b08be0", "#e07fa3",
        "#a5c8fa", "#a7b654", "#dd9068", "#7d8896",
    ),
)  # fmt: skip
"""Hues that are told apart with the common colour blindnesses, in this order."""
