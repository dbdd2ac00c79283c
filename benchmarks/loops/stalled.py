"""Stalled runs: what the second tier says of real runs, and of real ones that go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from itertools import cycle, islice
from random import Random
from statistics import median
from typing import Final

import click
import numpy as np

from benchmarks.loops.__main__ import DATA
from benchmarks.loops.perturbed import nearly
from farthing.collector.watch.kinds import stall
from farthing.collector.watch.labelled import read_runs
from farthing.economics.loops import Baseline, Detector, Step

_SOURCE: Final = DATA / "mini_swe_agent_gemini3.jsonl.gz"
_LAST: Final = 24
"""Steps at the end of a run that it repeats in other words: twelve calls."""
_TIMES: Final = 4
_GROWTH_TOKENS: Final = 400

_NEW: Final = 0.2

Steps = Sequence[Step]
GoOn = Callable[[Steps, Random], Iterator[Step]]


@dataclass
class Tier:
    """Of runs: how many are found to be stalled, how many confirmed to loop; and how
    many times the usual most calls they had made when they were found stalled."""

    name: str
    runs: int = 0
    stalled: int = 0
    loops: int = 0
    times: list[float] = field(default_factory=list)

    def add(self, steps: Steps, baseline: Baseline) -> None:
        """Judge one run."""
        self.runs += 1
        detector = Detector()
        found = [each for step in steps for each in detector.step(step)]
        self.loops += any(each.level == "confirmed" for each in found)
        if stalled := stall(steps, baseline):
            self.stalled += 1
            self.times.append(stalled.calls / baseline.calls)


def _learned(runs: Sequence[Steps]) -> Baseline:
    """As sql/baseline.sql of the watch learns it, of calls and tokens."""
    calls = [sum(s.kind == "tool" for s in run) for run in runs]
    tokens = [
        sum((s.input_tokens or 0) + (s.output_tokens or 0) for s in run) for run in runs
    ]
    return Baseline(
        runs=len(runs),
        calls=int(np.percentile(calls, 99, method="lower")),
        tokens=int(np.percentile(tokens, 99, method="lower")),
    )


def _grinding(others: Sequence[Steps]) -> GoOn:
    """Its last calls over and over, each time in other words and answered in others;
    but for one of five, which is of another run."""

    def go_on(run: Steps, random: Random) -> Iterator[Step]:
        for step in cycle(run[-_LAST:]):
            if step.kind == "tool" and random.random() < _NEW:
                yield random.choice(
                    [s for s in random.choice(others) if s.kind == "tool"]
                )
            else:
                yield _reworded(step, random) if step.kind == "tool" else step

    return go_on


def _reworded(step: Step, random: Random) -> Step:
    own = str(random.random())
    return replace(
        step,
        args_hash=_hash("args", own),
        args_norm_hash=_hash("args norm", own),
        args_simhash=nearly(step.args_simhash, random),
        result_hash=_hash("result", own),
        result_norm_hash=_hash("norm", own),
        result_shape_hash="",
        result_simhash=nearly(step.result_simhash, random),
        err_sig_hash="",
    )


def _learning(others: Sequence[Steps]) -> GoOn:
    """What other runs did: a long run that finds ever new things."""

    def go_on(_: Steps, random: Random) -> Iterator[Step]:
        while True:
            yield from random.choice(others)

    return go_on


def _going_on(run: Steps, more: Iterator[Step], steps: int) -> Steps:
    """A run with more steps behind it, whose prompts grow on."""
    last = max((s.input_tokens or 0 for s in run), default=0)
    whole = list(run)
    for number, step in enumerate(islice(more, steps), start=1):
        if step.kind == "llm":
            step = replace(step, input_tokens=last + number * _GROWTH_TOKENS // 2)
        whole.append(step)
    return whole


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def tiers() -> tuple[Baseline, list[Tier]]:
    """The baseline of half of the runs, and what is said of the other half."""
    halves: tuple[list[Steps], list[Steps]] = ([], [])
    succeeded: list[bool] = []
    for run in read_runs(_SOURCE):
        half = int(_hash(run.trace_id), 16) % 2
        halves[half].append(run.steps)
        if half:
            succeeded.append(run.is_normal)
    known, tested = halves
    baseline = _learned(known)
    steps = 2 * _TIMES * baseline.calls
    real, failed = Tier("that succeeded"), Tier("that did not")
    grind, learn = Tier("that grind on"), Tier("that go on to learn")
    for steps_of, is_success in zip(tested, succeeded, strict=True):
        (real if is_success else failed).add(steps_of, baseline)
        for tier, go_on in ((grind, _grinding(known)), (learn, _learning(known))):
            more = go_on(steps_of, Random(tier.name + str(tier.runs)))
            tier.add(_going_on(steps_of, more, steps), baseline)
    return baseline, [real, failed, grind, learn]


@click.command()
@click.option("--json", "as_json", is_flag=True)
def main(*, as_json: bool) -> None:
    """What is said to be stalled of half of the mini-swe runs, by the other half."""
    baseline, judged = tiers()
    if as_json:
        told = {"baseline": asdict(baseline), "tiers": [asdict(t) for t in judged]}
        click.echo(json.dumps(told))
        return
    click.echo(f"99 of 100 runs: {baseline.calls} calls, {baseline.tokens:,} tokens.\n")
    click.echo("| runs | stalled | at times the calls | loop |\n|---|---:|---:|---:|")
    for tier in judged:
        at = f"{median(tier.times):.1f}" if tier.times else "-"
        click.echo(
            f"| {tier.name} | {tier.stalled} of {tier.runs} | {at} | {tier.loops} |"
        )


if __name__ == "__main__":
    main()
