"""`farthing loops`: how well loops are seen, and why a run is called one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.ledger import reader
from farthing.cli.options import data_option, json_option, since_option
from farthing.cli.show import Column
from farthing.collector.report.findings import Finding, latest
from farthing.collector.watch.evaluate import (
    Evaluation,
    Score,
    alarm_json,
    evaluate,
)
from farthing.collector.watch.explain import Judged, explained
from farthing.collector.watch.labelled import LabelledRun, read_runs
from farthing.collector.watch.unlabelled import ledger_run, ledger_runs
from farthing.economics.loops import Level
from farthing.errors import ConfigError

_COLUMNS = (
    Column("source"),
    Column("runs", "right"),
    Column("flagged", "right"),
    Column("loops found", "right"),
    Column("recall", "right"),
    Column("false alarms", "right"),
    Column("per 1,000", "right"),
    Column("precision", "right", rank=1),
    Column("delay", "right"),
    Column("p90", "right", rank=2),
    Column("unspent", "right", rank=2),
    Column("stalled", "right", rank=1),
)
_FINDINGS = (
    Column("run"),
    Column("task", rank=3),
    Column("agent", rank=5),
    Column("found"),
    Column("since (UTC)", rank=4),
    Column("goes on", rank=2),
    Column("calls", "right", rank=1),
    Column("cost", "right"),
    Column("an hour", "right", rank=1),
    Column("why", rank=6),
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


@command.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    default=20,
    show_default=True,
    help="How many.",
)
@since_option("7d")
@data_option
@json_option
def list_command(
    limit: int, since: datetime, data_dir: Path | None, *, as_json: bool
) -> None:
    """List what was found in the ledger: confirmed ones first, the dearest first."""
    now = datetime.now(UTC)
    with reader(data_dir) as store:
        found = latest(store, since=since, limit=limit)
    if as_json:
        show.as_json([finding.to_json(now) for finding in found])
    elif found:
        show.table(_FINDINGS, [_finding_row(finding, now) for finding in found])
    else:
        show.line(
            f"Nothing was found since {since:%Y-%m-%d %H:%M} UTC; look further back"
            " with --since 30d."
        )


@command.command("evaluate")
@click.argument(
    "files",
    nargs=-1,
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
@since_option("7d", note=" Of a ledger only.")
@data_option
@json_option
def evaluate_command(
    files: tuple[Path, ...],
    level: Level,
    alarms_file: Path | None,
    run_id: str | None,
    since: datetime,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Judge the labelled runs of FILES and compare, or judge the runs of a ledger.

    FILES hold one run a line as JSON, plain or gzip, in the form of
    benchmarks/loops/README.md. Delay is in tool calls from the first repetition,
    inclusive; unspent is the share of tokens after it that an alarm could have saved.
    Stalled is no loop: a run is compared with the others of its source and agent, of
    which there have to be 20, and told of at any level.

    Without FILES the runs of the ledger are judged, where task types are the sources.
    """
    if files and data_dir is not None:
        raise click.UsageError("FILES and --data exclude each other: name one of them")
    with nullcontext(None) if files else reader(data_dir) as store:
        if run_id is not None:
            run = _find(files, run_id) if store is None else ledger_run(store, run_id)
            _explain(run, as_json=as_json)
            return
        runs = _runs(files) if store is None else ledger_runs(store, since=since)
        with show.progress("judging") as update:
            evaluation = evaluate(_counted(runs, update), level=level)
    if alarms_file is not None:
        lines = (json.dumps(alarm_json(alarm)) for alarm in evaluation.alarms)
        alarms_file.write_text("".join(f"{line}\n" for line in lines))
    if as_json:
        show.as_json(evaluation.to_json())
    else:
        _print(evaluation)


def _finding_row(finding: Finding, now: datetime) -> list[str]:
    rate = finding.usd_per_hour
    return [
        finding.run_id,
        finding.task_type or show.UNKNOWN,
        finding.agent or show.UNKNOWN,
        f"{finding.kind.replace('_', ' ')} {finding.level}",
        f"{finding.first_time:%Y-%m-%d %H:%M}",
        "yes" if finding.goes_on(now) else "no",
        show.count(finding.calls),
        show.money(finding.cost_usd, lower_bound=finding.unpriced_calls > 0),
        show.money(rate),
        finding.why,
    ]


def _counted(runs: Iterable[LabelledRun], update: show.Update) -> Iterator[LabelledRun]:
    for number, run in enumerate(runs, start=1):
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
        show.count(score.flagged),
        f"{score.found} of {score.loops}" if score.loops else show.UNKNOWN,
        show.share(told["recall"]),
        f"{score.false_alarms} of {show.count(score.normal)}"
        if score.normal
        else show.UNKNOWN,
        _number(told["false_alarms_per_1000"]),
        show.share(told["precision"]) if score.loops else show.UNKNOWN,
        _number(told["delay_median"]),
        _number(told["delay_p90"]),
        show.share(told["unspent_at_alarm"]),
        show.count(score.stalled),
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
