"""A line in a cell: how a number grew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

_POINTS = 60
Value = TypeVar("Value", int, Decimal)


def sparkline(
    values: Sequence[Value | None],
    *,
    said: Callable[[Value], str] = "{:,}".format,
    width: int = 96,
    height: int = 20,
) -> str:
    """An inline SVG from 0 to the highest value, in the colour of the text around it;
    empty for fewer than two known values, with a gap at what is not known. It says its
    numbers to a screen reader, in the words of `said`."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    shown = _thinned(values)
    top = float(max(known)) or 1
    points = [
        None
        if value is None
        else f"{x * (width - 2) / (len(shown) - 1) + 1:.1f},"
        f"{height - 1 - max(float(value), 0) / top * (height - 2):.1f}"
        for x, value in enumerate(shown)
    ]
    lines = "".join(
        '<polyline fill="none" stroke="currentColor" stroke-width="1.25"'
        f' points="{line}"/>'
        for line in _lines(points)
    )
    told = f"from {said(known[0])} to {said(known[-1])}, at most {said(max(known))}"
    return (
        f'<svg class="sparkline" role="img" aria-label="{told}" width="{width}"'
        f' height="{height}" viewBox="0 0 {width} {height}">{lines}</svg>'
    )


def _lines(points: Sequence[str | None]) -> list[str]:
    """The points of each line between gaps."""
    parts = groupby(points, key=lambda point: point is not None)
    return [" ".join(filter(None, part)) for is_known, part in parts if is_known]


def _thinned(values: Sequence[Value | None]) -> list[Value | None]:
    """At most some 60 values, the last among them, each the highest of its part."""
    size = -(-len(values) // _POINTS)
    parts = (values[at : at + size] for at in range(0, len(values), size))
    return [max((v for v in part if v is not None), default=None) for part in parts]
