"""A line in a cell: how a number grew."""

from __future__ import annotations

from collections.abc import Sequence

_POINTS = 60


def sparkline(values: Sequence[float], *, width: int = 96, height: int = 20) -> str:
    """An inline SVG from 0 to the highest value, in the colour of the text around it;
    empty for fewer than two values. It says its numbers to a screen reader."""
    if len(values) < 2:
        return ""
    shown = _thinned(values)
    top = max(*shown, 1)
    points = " ".join(
        f"{x * (width - 2) / (len(shown) - 1) + 1:.1f},"
        f"{height - 1 - max(y, 0) / top * (height - 2):.1f}"
        for x, y in enumerate(shown)
    )
    said = f"from {values[0]:,} to {values[-1]:,}, at most {max(values):,}"
    return (
        f'<svg class="sparkline" role="img" aria-label="{said}" width="{width}"'
        f' height="{height}" viewBox="0 0 {width} {height}"><polyline fill="none"'
        f' stroke="currentColor" stroke-width="1.25" points="{points}"/></svg>'
    )


def _thinned(values: Sequence[float]) -> list[float]:
    """At most some 60 values, the last among them, each the highest of its part."""
    size = -(-len(values) // _POINTS)
    return [max(values[at : at + size]) for at in range(0, len(values), size)]
