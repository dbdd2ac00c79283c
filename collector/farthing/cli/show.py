"""How things look in a terminal: money, counts, durations, tables, progress."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import click
from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from farthing.collector.report.amounts import (
    UNKNOWN,
    count,
    counted,
    duration,
    money,
    share,
    size,
    tokens,
)

__all__ = [
    "UNKNOWN",
    "Column",
    "Update",
    "as_json",
    "clean",
    "console",
    "count",
    "counted",
    "duration",
    "line",
    "money",
    "progress",
    "share",
    "size",
    "table",
    "tokens",
]

_GAP: Final = 2
_NARROWEST_TEXT: Final = 16
_ENDLESS: Final = 100_000
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Column(NamedTuple):
    """A column of a table. In a narrow terminal those of the highest `rank` give way;
    rank 0 stays."""

    heading: str
    side: str = "left"
    rank: int = 0


def console() -> Console:
    """Standard output; what is not a terminal has lines without an end."""
    made = Console(highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(highlight=False, width=_ENDLESS)


def as_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    indent: int = 0,
) -> None:
    """A table. Numbers are never cut: columns that do not fit are left out, which is
    said below, and long texts are broken."""
    out = console()
    shown = _fitting(columns, rows, out.width - indent)
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for index in shown:
        column = columns[index]
        made.add_column(
            column.heading,
            justify="right" if column.side == "right" else "left",
            header_style="bold",
            no_wrap=column.side == "right",
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(Text(clean(row[index])) for index in shown))
    if title:
        line(title)
    _print_table(out, made, indent)
    missing = [c.heading for i, c in enumerate(columns) if i not in shown]
    if missing:
        line(f"(no room for: {', '.join(missing)})")


def line(text: str = "") -> None:
    """A line of text."""
    console().print(Text(clean(text)), soft_wrap=True)


def clean(text: str) -> str:
    """Text of unknown origin without what a terminal would obey instead of show."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if char in "\t\n\r" else char
        for char in text
        if char in "\t\n\r" or unicodedata.category(char) not in _HIDDEN
    )


def _fitting(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[int]:
    """The columns that have room, by index, with long texts broken if need be."""
    needed = [
        max([cell_len(column.heading), *(cell_len(clean(row[index])) for row in rows)])
        for index, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    for rank in range(max(column.rank for column in columns), 0, -1):
        if _least(columns, needed, shown) <= width:
            break
        shown = [index for index in shown if columns[index].rank != rank]
    return shown


def _least(columns: Sequence[Column], needed: list[int], shown: list[int]) -> int:
    """Width of a table whose first column is whole and other texts may be broken."""
    least = [
        needed[index]
        if columns[index].side == "right" or index == shown[0]
        else min(needed[index], _NARROWEST_TEXT)
        for index in shown
    ]
    return sum(least) + _GAP * (len(least) - 1)


def _print_table(out: Console, made: Table, indent: int) -> None:
    """Print a table without the blanks that fill its last column."""
    options = out.options.update(width=out.width - indent)
    for segments in out.render_lines(made, options, pad=False):
        text = Text.assemble(*((s.text, s.style or "") for s in segments))
        text.rstrip()
        out.print(Text(" " * indent) + text, soft_wrap=True)


Update = Callable[[float, str], None]
"""Called with the amount done and its unit."""


@contextmanager
def progress(what: str) -> Iterator[Update]:
    """A progress bar on standard error, where that is a terminal; call what it yields
    with the amount done."""
    errors = Console(stderr=True, highlight=False)
    if not errors.is_terminal:
        yield lambda _done, _unit: None
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
        TimeElapsedColumn(),
        console=errors,
    ) as bar:
        task = bar.add_task(clean(what), total=None, unit="")
        yield lambda done, unit: bar.update(task, completed=done, unit=unit)
