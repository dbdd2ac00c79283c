"""`farthing explain`: how each cent of a span came about."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from farthing.cli import show
from farthing.cli.ledger import ledger_settings, reader
from farthing.cli.options import data_option, json_option
from farthing.cli.show import Column
from farthing.collector.explain import Account, Entry, account, to_json, words
from farthing.collector.parts import price_catalogue

_PARTS: Final = (
    Column("bucket"),
    Column("units", "right"),
    Column("USD per million", "right"),
    Column("USD", "right"),
)


@click.command()
@click.argument("span_id")
@data_option
@json_option
def command(span_id: str, data_dir: Path | None, *, as_json: bool) -> None:
    """How each cent of a span came about: what was said, the price row, its source,
    each multiplication, and every correction since.

    SPAN_ID is the id of the span, or as many of its first digits as no other has.
    """
    catalogue = price_catalogue(ledger_settings(data_dir))
    with reader(data_dir) as store:
        found = account(store, span_id, catalogue)
    if as_json:
        show.as_json(to_json(found))
    else:
        print_account(found)


def print_account(found: Account) -> None:
    """The account for people."""
    said = found.told.fields
    show.line(f"Span {said['span_id']} of run {said['run_id']}")
    for text in words.told(found):
        show.line(f"  {text}")
    for number, entry in enumerate(found.entries, start=1):
        show.line()
        _print_entry(entry, f"Entry {number} of {len(found.entries)}")
    show.line()
    for text in words.net(found):
        show.line(text)


def _print_entry(entry: Entry, title: str) -> None:
    show.line(f"{title}, {words.title(entry)}")
    for text in words.priced_by(entry):
        show.line(f"  {text}")
    if entry.parts:
        show.table(_PARTS, [words.part_cells(part) for part in entry.parts], indent=2)
    for text in words.comes_to(entry):
        show.line(f"  {text}")
