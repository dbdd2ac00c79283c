"""Which of some runs are stalled, by what the others of their kind took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from farthing.collector.watch.labelled import LabelledRun
from farthing.economics.loops import Baseline, Finding, Stall, Step, Taken

_QUANTILE: Final = 0.99


@dataclass(slots=True)
class _Kind:
    """What each run of a kind took by its end, and those long enough to be stalled."""

    took: list[Taken] = field(default_factory=list)
    long: list[tuple[LabelledRun, Taken]] = field(default_factory=list)


class Kinds:
    """Runs by their source and agent: where no ledger tells what is usual for a kind,
    the other runs in hand do. Only long runs are kept."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def add(self, run: LabelledRun) -> None:
        """One more run, which has ended."""
        agent = max((step.agent for step in run.steps), default="")
        kind = self._kinds.setdefault((run.source, agent), _Kind())
        took = Taken()
        for _, so_far in taking(run.steps):
            took = so_far
        kind.took.append(took)
        if took.is_long:
            kind.long.append((run, took))

    def stalled(self) -> Iterator[tuple[LabelledRun, Finding]]:
        """The runs that are stalled, each judged by all others of its kind."""
        for kind in self._kinds.values():
            measures = [sorted(of_all) for of_all in zip(*kind.took, strict=True)]
            for run, took in kind.long:
                others = map(_quantile_of_others, measures, took)
                usual = dict(zip(Taken._fields, others, strict=True))
                baseline = Baseline(runs=len(kind.took) - 1, **usual)
                if baseline.is_exceeded(took) and (found := stall(run.steps, baseline)):
                    yield run, found


def taking(steps: Iterable[Step]) -> Iterator[tuple[Step, Taken]]:
    """Steps, each with the calls and tokens that a run took up to it. What agents and
    money were spent, steps do not say."""
    calls = tokens = 0
    for step in steps:
        calls += step.kind == "tool"
        tokens += (step.input_tokens or 0) + (step.output_tokens or 0)
        yield step, Taken(calls=calls, tokens=tokens)


def stall(steps: Iterable[Step], baseline: Baseline) -> Finding | None:
    """What the second tier finds in a run."""
    watched = Stall(baseline)
    for step, taken in taking(steps):
        if found := watched.step(step, taken):
            return found
    return None


def _quantile_of_others(values: Sequence[int], own: int) -> int:
    """As sql/baseline.sql has it, of sorted values of which one, `own`, is left out."""
    others = len(values) - 1
    if not others:
        return 0
    at = min(int(_QUANTILE * others), others - 1)
    return values[at] if at < bisect_left(values, own) else values[at + 1]
