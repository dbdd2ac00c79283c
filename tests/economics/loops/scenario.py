"""What a scenario is, and what scenarios are told with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from farthing.economics.loops import Step
from tests.economics.loops.telling import called, digest, turns

Verdict = str  # "", or the kinds of what is confirmed, in order, joined by "+"


@dataclass(frozen=True)
class Scenario:
    name: str
    due: Verdict
    steps: list[Step]


SCENARIOS: list[Scenario] = []


def due(verdict: Verdict) -> Callable[[Callable[[], list[Step]]], None]:
    def keep(tell: Callable[[], list[Step]]) -> None:
        SCENARIOS.append(Scenario(tell.__name__, verdict, tell()))

    return keep


bash = partial(called, "bash")


def page(number: int) -> str:
    """A result like no other: words that depend on the number alone."""
    letters = digest(f"page {number}").translate(
        str.maketrans("0123456789", "ghijklmnop")
    )
    return " ".join(
        letters[n % 16] + letters[n // 3 % 16] + letters[n * n % 16] for n in range(48)
    )


def work(count: int, *, start: int = 0) -> Iterator[Step]:
    """Healthy calls, each with another result."""
    for n in range(start, start + count):
        yield called("read_file", {"path": f"src/part_{n}.py"}, page(n))


def cycle(period: int, *, rounds: int) -> list[Step]:
    return turns(
        bash(f"step {page(n)[:9]}", page(n))
        for _ in range(rounds)
        for n in range(period)
    )
