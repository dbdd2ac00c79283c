"""Which package instruments a library, where several offer to.

Two families on one library count each call twice, so one is chosen: the official one,
else the one whose spans say more.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def choose(library: Library, disabled: frozenset[str] = frozenset()) -> Choice:
    """Choose among what is installed, less what the user has disabled by name."""
    if "*" in disabled:
        return Choice(None)
    offers = sorted(_offers(library, disabled), key=lambda e: _rank(library, e))
    return Choice(offers[0], tuple(offers[1:])) if offers else Choice(None)


def _offers(library: Library, disabled: frozenset[str]) -> Iterable[EntryPoint]:
    for point in entry_points(group=GROUP):
        if point.name in library.entry_points and point.name not in disabled:
            yield point


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
