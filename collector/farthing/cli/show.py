"""How things look in a terminal: money, counts, durations, tables, progress."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
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

UNKNOWN: Final = "-"
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


def money(usd: Decimal | None, *, lower_bound: bool = False) -> str:
    """Dollars: cents from ten dollars up, four significant digits below, all of them
    exact to what is shown. A lower bound says so; what is not known is a dash."""
    if usd is None:
        return UNKNOWN
    return f"{'≥ ' if lower_bound else ''}{_dollars(usd)}"


def _dollars(usd: Decimal) -> str:
    sign, amount = ("-", -usd) if usd < 0 else ("", usd)
    if amount == 0:
        return "$0"
    if amount >= 10:
        return f"{sign}${amount:,.2f}"
    digits = max(3 - amount.adjusted(), 2)
    return f"{sign}${round(amount, digits):f}"


def count(number: int) -> str:
    """An integer with separators."""
    return f"{number:,}"


def tokens(number: int) -> str:
    """A number of tokens, short."""
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if abs(number) >= limit:
            return f"{number / (limit if unit != 'k' else 1000):.1f}{unit}"
    return count(number)


def size(number: int) -> str:
    """A number of bytes, short."""
    for limit, unit in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}"
    return f"{number} bytes"


def share(rate: float | None) -> str:
    """A share as a percentage."""
    return UNKNOWN if rate is None else f"{rate:.0%}"


def duration(seconds: float) -> str:
    """A duration in its two largest units."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
    )


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
