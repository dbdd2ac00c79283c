"""`farthing runs`: a list of runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.options import data_option, json_option, reader, since_option
from farthing.collector.report.runs import ORDERS, Run, runs

_COLUMNS = (
    ("run", "left"),
    ("task", "left"),
    ("agent", "left"),
    ("business unit", "left"),
    ("ended (UTC)", "left"),
    ("took", "right"),
    ("calls", "right"),
    ("tools", "right"),
    ("errors", "right"),
    ("cost", "right"),
)


@click.command()
@click.option(
    "--by", type=click.Choice(list(ORDERS)), default="cost", show_default=True
)
@click.option("--task-type", default="", help="Only runs of this kind of task.")
@click.option("--limit", default=20, show_default=True, help="How many.")
@since_option("7d")
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
    """List runs, the most expensive first."""
    with reader(data_dir) as store:
        found = runs(store, since=since, order=by, task_type=task_type, limit=limit)
    if as_json:
        show.as_json([run.to_json() for run in found])
    elif found:
        show.table(_COLUMNS, [_row(run) for run in found])
    else:
        show.line("No run ended in this range; look further back with --since 30d.")


def _row(run: Run) -> list[str]:
    return [
        run.run_id,
        run.task_type or "–",
        run.agent or "–",
        run.business_unit or "–",
        f"{run.end_time:%Y-%m-%d %H:%M:%S}",
        show.duration((run.end_time - run.start_time).total_seconds()),
        show.count(run.calls),
        show.count(run.tool_calls),
        show.count(run.errors),
        show.money(run.cost_usd, lower_bound=run.lower_bound),
    ]
