"""`farthing budgets`: what is spent of each, and what it will be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from farthing.alerts.budgets import read_budgets
from farthing.alerts.spent import Used, used
from farthing.cli import show
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, json_option
from farthing.cli.show import Column

_COLUMNS = (
    Column("budget"),
    Column("who"),
    Column("window"),
    Column("spent", "right"),
    Column("limit", "right"),
    Column("used", "right"),
    Column("forecast", "right", rank=1),
    Column("ends (UTC)", rank=2),
    Column("at its end", rank=3),
)


@click.command()
@data_option
@json_option
def command(data_dir: Path | None, *, as_json: bool) -> None:
    """Show what is spent of each budget of `budgets_file`, and what it will be.

    The forecast goes on at the pace of the last day. The exit code is 1 where a budget
    is used up.
    """
    now = datetime.now(UTC)
    budgets = read_budgets(ledger_settings(data_dir).budgets_file)
    if not budgets:
        show.line(
            "There are no budgets: write them into a file, and name it with"
            " FARTHING_BUDGETS_FILE (budgets_file in the configuration)."
        )
        return
    with reader(data_dir) as store:
        lines = used(store.rows, budgets, now=now)
    if as_json:
        show.as_json([line.to_json() for line in lines])
    elif lines:
        show.table(_COLUMNS, [_row(line) for line in lines])
    else:
        show.line("Nothing was spent yet in the windows of the budgets.")
    if any(line.spent_usd >= line.limit_usd for line in lines):
        click.get_current_context().exit(1)


def _row(line: Used) -> list[str]:
    return [
        line.budget,
        line.who,
        line.window,
        show.money(line.spent_usd, lower_bound=line.unpriced_calls > 0),
        show.money(line.limit_usd),
        show.share(line.share),
        show.money(line.forecast_usd),
        f"{line.ends_at:%Y-%m-%d %H:%M}",
        line.action,
    ]
