"""`farthing sql`: ask the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from farthing.cli.options import data_option, reader
from farthing.collector.store.client import Refused


@click.command()
@click.argument("query")
@click.option(
    "--format",
    "fmt",
    default="PrettyCompactMonoBlock",
    show_default=True,
    help="Any of ClickHouse's output formats, such as CSVWithNames or JSONEachRow.",
)
@data_option
def command(query: str, fmt: str, data_dir: Path | None) -> None:
    """Ask the ledger in ClickHouse's SQL, read-only.

    `SHOW TABLES` and `DESCRIBE spans` say what there is.
    """
    with reader(data_dir) as store:
        try:
            click.echo(store.raw(query, fmt=fmt), nl=False)
        except Refused as error:
            raise click.UsageError(str(error)) from error
