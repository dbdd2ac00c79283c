"""`farthing loops`: how well loops are seen, and why a run is called one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.options import json_option
from farthing.cli.show import Column
from farthing.collector.watch.evaluate import (
    Evaluation,
    Score,
    alarm_json,
    evaluate,
)
from farthing.collector.watch.explain import Judged, explained
from farthing.collector.watch.labelled import LabelledRun, read_runs
from farthing.economics.loops import Level
from farthing.errors import ConfigError

_COLUMNS = (
    Column("source"),
    Column("runs", "right", rank=3),
    Column("loops found", "right"),
    Column("recall", "right"),
    Column("false alarms", "right"),
    Column("per 1,000", "right"),
    Column("precision", "right", rank=1),
    Column("delay", "right"),
    Column("p90", "right", rank=2),
    Column("unspent", "right", rank=2),
)
_STEPS = (
    Column("step", "right"),
    Column("what"),
    Column("score", "right"),
    Column("change", "right"),
    Column("why"),
)


@click.group()
def command() -> None:
    """Agents that stop making progress."""


@command.command("evaluate")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--level",
    type=click.Choice(("suspected", "confirmed")),
    default="confirmed",
    show_default=True,
    help="From which level on a finding is an alarm.",
)
@click.option(
    "--alarms",
    "alarms_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.jsonl",
    help="Write each alarm to this file, one a line.",
)
@click.option("--explain", "run_id", metavar="RUN", help="Show one run step by step.")
@json_option
def evaluate_command(
    files: tuple[Path, ...],
    level: Level,
    alarms_file: Path | None,
    run_id: str | None,
    *,
    as_json: bool,
) -> None:
    """Judge the labelled runs of FILES, and compare.

    FILES hold one run a line as JSON, plain or gzip, in the form of
    benchmarks/loops/README.md. Delay is in tool calls from the first repetition,
    inclusive; unspent is the share of tokens after it that an alarm could have saved.
    """
    if run_id is not None:
        _explain(_find(files, run_id), as_json=as_json)
        return
    with show.progress("judging") as update:
        evaluation = evaluate(_counted(files, update), level=level)
    if alarms_file is not None:
        lines = (json.dumps(alarm_json(alarm)) for alarm in evaluation.alarms)
        alarms_file.write_text("".join(f"{line}\n" for line in lines))
    if as_json:
        show.as_json(evaluation.to_json())
    else:
        _print(evaluation)


def _counted(files: Sequence[Path], update: show.Update) -> Iterator[LabelledRun]:
    for number, run in enumerate(_runs(files), start=1):
        yield run
        update(number, "runs")


def _runs(files: Sequence[Path]) -> Iterator[LabelledRun]:
    for file in files:
        yield from read_runs(file)


def _find(files: Sequence[Path], run_id: str) -> LabelledRun:
    for run in _runs(files):
        if run.trace_id == run_id:
            return run
    raise ConfigError(f"there is no run {run_id!r} in {', '.join(map(str, files))}")


def _print(evaluation: Evaluation) -> None:
    rows = [_row(source, score) for source, score in evaluation.sources.items()]
    show.table(_COLUMNS, [*rows, _row("total", evaluation.total)])


def _row(source: str, score: Score) -> list[str]:
    told = score.to_json()
    return [
        source,
        show.count(score.runs),
        f"{score.found} of {score.loops}" if score.loops else show.UNKNOWN,
        show.share(told["recall"]),
        f"{score.false_alarms} of {show.count(score.normal)}",
        _number(told["false_alarms_per_1000"]),
        show.share(told["precision"]) if score.loops else show.UNKNOWN,
        _number(told["delay_median"]),
        _number(told["delay_p90"]),
        show.share(told["unspent_at_alarm"]),
    ]


def _number(number: float | None) -> str:
    return show.UNKNOWN if number is None else f"{number:.3g}"


def _explain(run: LabelledRun, *, as_json: bool) -> None:
    judged = list(explained(run.steps))
    if as_json:
        show.as_json([_judged_json(each) for each in judged])
        return
    show.line(f"Run {run.trace_id}: {run.label}")
    show.table(_STEPS, [_judged_row(each) for each in judged])


def _judged_row(judged: Judged) -> list[str]:
    change = judged.after - judged.before
    told = [
        f"{f.kind} {f.level}: {f.why}" if f.ongoing else f"{f.kind} ended"
        for f in judged.findings
    ]
    return [
        str(judged.number),
        f"{judged.step.kind} {judged.step.name}".strip(),
        f"{judged.after:.2f}",
        f"{change:+.2f}" if change else "",
        "; ".join(filter(None, (judged.why, *told))),
    ]


def _judged_json(judged: Judged) -> dict[str, object]:
    findings = [
        {"kind": f.kind, "level": f.level, "ongoing": f.ongoing, "why": f.why}
        for f in judged.findings
    ]
    return {
        "step": judged.number,
        "kind": judged.step.kind,
        "name": judged.step.name,
        "score": round(judged.after, 3),
        "change": round(judged.after - judged.before, 3),
        "why": judged.why,
        "findings": findings,
    }
