"""Why a run was judged as it was: its score, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from farthing.economics.loops import Detector, Finding, Step
from farthing.economics.loops.memory import Repeat

_ALIKE: Final = {
    "repeat": "the same call, the same or nearly the same result",
    "same_error": "an error seen before",
    "same_result": "another call, the same result",
    "monologue": "a reply said before",
    "retries": "refused by the other side (429, 5xx)",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A step, what it did to its agent's score, and what was found by it."""

    number: int
    step: Step
    before: float
    after: float
    why: str
    findings: tuple[Finding, ...]


def explained(steps: Iterable[Step]) -> Iterator[Judged]:
    """Each step as it is judged."""
    detector = Detector()
    for number, step in enumerate(steps):
        before = detector.score(step.agent)
        found = tuple(detector.step(step))
        after = detector.score(step.agent)
        why = _why(detector.repeat(step.agent), before, after)
        yield Judged(number, step, before, after, why, found)


def _why(repeat: Repeat | None, before: float, after: float) -> str:
    if repeat is None:
        return "something new" if after < before else ""
    times = f"{repeat.count} times before, {repeat.distance} calls ago"
    return f"{_ALIKE[repeat.pattern]} ({times})"
