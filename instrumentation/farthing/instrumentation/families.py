"""Which package instruments a library, where several offer to.

Two families on one library count each call twice, so one is chosen: the official one,
else the one whose spans say more.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Final

from opentelemetry.util._importlib_metadata import entry_points

from farthing.instrumentation.libraries import Library

GROUP: Final = "opentelemetry_instrumentor"
_OTHERS: Final = ("openinference-instrumentation", "opentelemetry-instrumentation")


@dataclass(frozen=True)
class Choice:
    """The instrumentor that is used for a library, and those that are left out."""

    used: EntryPoint | None
    left_out: tuple[EntryPoint, ...] = ()


def choose(library: Library) -> Choice:
    """Choose among what is installed."""
    points = entry_points(group=GROUP)
    offers = [point for point in points if point.name in library.entry_points]
    ranked = sorted(offers, key=lambda point: _rank(library, point))
    return Choice(ranked[0], tuple(ranked[1:])) if ranked else Choice(None)


def _rank(library: Library, point: EntryPoint) -> tuple[int, str]:
    name = package(point)
    if name == library.official:
        return 0, name
    ranks = (rank for rank, start in enumerate(_OTHERS, 1) if name.startswith(start))
    return next(ranks, len(_OTHERS) + 1), name


def package(point: EntryPoint) -> str:
    """The name of the distribution that announces `point`, in normal form."""
    name = point.dist.name if point.dist else point.module
    return name.lower().replace("_", "-").replace(".", "-")
