"""`farthing sql`: ask the ledger."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import click

from farthing.cli import show
from farthing.cli.ledger import NO_LEDGER, reader
from farthing.cli.options import data_option, json_option
from farthing.collector.report.plain import iso, plain
from farthing.collector.store.client import Away, Refused
from farthing.collector.store.sentence import sentence
from farthing.errors import ConfigError

READONLY = 164
# The store calls them its own state, but the question is the cause.
_QUESTIONS = frozenset({*NO_LEDGER, READONLY})
# The client names a format behind each statement; a second one is an error of syntax.
# `ORDER BY format DESC` names none.
_FORMAT: Final = re.compile(
    r"(?is)(?P<query>.*\S)\s+FORMAT\s+(?!(?:ASC|DESC)\b)(?P<format>[a-z]\w*)[\s;]*"
)


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
@json_option
def command(query: str, fmt: str, data_dir: Path | None, *, as_json: bool) -> None:
    """Ask the ledger in ClickHouse's SQL, read-only.

    `SHOW TABLES` and `DESCRIBE spans` say what there is. --json gives a list of rows
    in which money is a string with every digit. A FORMAT at the query's end wins over
    --format, and --json over both.
    """
    if not query.strip(" \t\r\n;"):
        raise click.UsageError("the query is empty")
    if named := _FORMAT.fullmatch(query):
        query, fmt = named["query"], named["format"]
    with reader(data_dir) as store:
        try:
            if as_json:
                rows = store.rows(query)
                show.as_json([{k: _plain(v) for k, v in row.items()} for row in rows])
            else:
                click.echo(store.raw(query, fmt=fmt), nl=False)
        except Refused as error:
            raise _wrong(error) from error
        except Away as error:
            if error.code not in _QUESTIONS:
                raise
            raise _wrong(error) from error


def _wrong(error: Exception) -> ConfigError:
    """The error in one line: what the engine says, and where."""
    return ConfigError(f"the ledger refuses the query: {sentence(str(error))}")


def _plain(value: Any) -> Any:
    """A value of the ledger as JSON has it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return plain(value) if hasattr(value, "as_tuple") else str(value)
