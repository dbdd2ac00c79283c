"""`farthing runs`: a list of runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.ledger import reader
from farthing.cli.options import data_option, json_option, since_option
from farthing.cli.show import Column
from farthing.collector.report.runs import ORDERS, Run, runs
from farthing.collector.report.spend import whole_hour

_COLUMNS = (
    Column("run"),
    Column("task", rank=3),
    Column("agent", rank=5),
    Column("business unit", rank=6),
    Column("ended (UTC)", rank=4),
    Column("took", "right", rank=2),
    Column("calls", "right"),
    Column("tools", "right", rank=7),
    Column("errors", "right", rank=1),
    Column("cost", "right"),
)


@click.command()
@click.option(
    "--by",
    type=click.Choice(list(ORDERS)),
    default="cost",
    show_default=True,
    help="What to sort by, the largest first.",
)
@click.option("--task-type", default="", help="Only runs of this kind of task.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    default=20,
    show_default=True,
    help="How many.",
)
@since_option("7d", note=" The hour in which it lies counts whole.")
@data_option
@json_option
def command(
    by: str,
    task_type: str,
    limit: int,
    since: datetime,
    data_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """List runs that ended in a range, the most expensive first."""
    since = whole_hour(since)
    with reader(data_dir) as store:
        found = runs(store, since=since, order=by, task_type=task_type, limit=limit)
    if as_json:
        show.as_json([run.to_json() for run in found.first])
    elif found.first:
        show.table(_COLUMNS, [_row(run) for run in found.first])
        if found.of > len(found.first):
            show.line(
                f"The first {show.count(len(found.first))} of {show.count(found.of)}"
                " runs; --limit shows more."
            )
    else:
        kind = f" of task type {task_type!r}" if task_type else ""
        show.line(
            f"No run{kind} ended since {since:%Y-%m-%d %H:%M} UTC; look further back"
            " with --since 30d."
        )


def _row(run: Run) -> list[str]:
    return [
        run.run_id,
        run.task_type or show.UNKNOWN,
        run.agent or show.UNKNOWN,
        run.business_unit or show.UNKNOWN,
        f"{run.end_time:%Y-%m-%d %H:%M}",
        show.duration((run.end_time - run.start_time).total_seconds()),
        show.count(run.calls),
        show.count(run.tool_calls),
        show.count(run.errors),
        show.money(run.known_usd, lower_bound=run.lower_bound),
    ]
