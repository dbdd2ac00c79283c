"""Shipped rules and ours on the same runs, and how fast ours is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from benchmarks.loops.calls import calls_and_replies
from benchmarks.loops.shipped import SHIPPED, Shipped
from farthing.collector.watch.evaluate import alarms_on
from farthing.collector.watch.labelled import LabelledRun, read_runs
from farthing.economics.loops import Detector, Level, Tuning

DATA = Path(__file__).parent / "data"
Judge = Callable[[LabelledRun], int | None]
_ROUNDS = 3


@dataclass(frozen=True)
class Line:
    """What one detector found, by source."""

    name: str
    version: str
    found: dict[str, int]
    false_alarms: dict[str, int]
    delay: float | None


def by_rules(shipped: Shipped) -> Judge:
    """A shipped rule set as a judge of runs."""
    return lambda run: shipped.alarm(calls_and_replies(run.steps))


def by_ours(level: Level) -> Judge:
    """Our detector as a judge of runs."""

    def judge(run: LabelledRun) -> int | None:
        alarms = alarms_on(run, level=level, tuning=Tuning())
        return next((a.at_tool_step for a in alarms if a.kind == "loop"), None)

    return judge


def line(name: str, version: str, runs: Sequence[LabelledRun], judge: Judge) -> Line:
    """Judge all runs."""
    found: dict[str, int] = {}
    false_alarms: dict[str, int] = {}
    delays = []
    for run in runs:
        at = judge(run)
        if at is None:
            continue
        if run.label == "loop":
            found[run.source] = found.get(run.source, 0) + 1
            if run.onset is not None and run.source == "sentinel":
                delays.append(at - run.onset + 1)
        if run.is_normal:
            false_alarms[run.source] = false_alarms.get(run.source, 0) + 1
    delay = median(delays) if delays else None
    return Line(name, version, found, false_alarms, delay)


def steps_per_s(runs: Sequence[LabelledRun]) -> float:
    """Steps that the detector judges in a second of CPU, on one core."""
    steps = sum(len(run.steps) for run in runs)
    begun_s = time.process_time()
    for _ in range(_ROUNDS):
        for run in runs:
            detector = Detector()
            for step in run.steps:
                detector.step(step)
    return _ROUNDS * steps / (time.process_time() - begun_s)


def lines(runs: Sequence[LabelledRun]) -> list[Line]:
    """All detectors, ours last."""
    shipped = [line(s.name, s.version, runs, by_rules(s)) for s in SHIPPED]
    levels: tuple[Level, ...] = ("suspected", "confirmed")
    ours = [line("Farthing", level, runs, by_ours(level)) for level in levels]
    return [*shipped, *ours]


@click.command()
@click.option("--json", "as_json", is_flag=True)
def main(*, as_json: bool) -> None:
    """Shipped rules and ours on the runs in benchmarks/loops/data."""
    runs = [run for path in sorted(DATA.glob("*.gz")) for run in read_runs(path)]
    table, speed = lines(runs), steps_per_s(runs)
    if as_json:
        told = [vars(one) for one in table]
        click.echo(json.dumps({"detectors": told, "steps_per_s": speed}))
        return
    click.echo(_HEAD)
    for one in table:
        click.echo(_row(one, runs))
    click.echo(f"\nOurs: {speed:,.0f} steps/s of CPU on one core.")


_HEAD = (
    "| detector | version | sentinel loops | delay "
    "| intercode loops "
    "| false alarms sentinel | mini_swe | tau |\n|---|---|---|---|---|---|---|---|"
)


def _row(one: Line, runs: Sequence[LabelledRun]) -> str:
    looping = [run.source for run in runs if run.label == "loop"]
    mini = "mini_swe_agent_gemini3"
    cells = [
        one.name,
        one.version,
        _of(one.found, "sentinel", looping),
        "-" if one.delay is None else f"{one.delay:g}",
        _of(one.found, "intercode", looping),
        *(
            _of(one.false_alarms, source, [r.source for r in runs if r.is_normal])
            for source in ("sentinel", mini, "agentrx_tau_retail")
        ),
    ]
    return f"| {' | '.join(cells)} |"


def _of(counts: dict[str, int], source: str, all_of: list[str]) -> str:
    return f"{counts.get(source, 0)} of {all_of.count(source):,}"


if __name__ == "__main__":
    main()
