"""How things look in a terminal: money, counts, durations, tables, progress."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import click
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

_PIPE_WIDTH = 200

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=_PIPE_WIDTH)
_errors = Console(stderr=True, highlight=False)


def as_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], *, title: str = ""
) -> None:
    """A table; each column is (heading, `left` or `right`)."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, side in columns:
        made.add_column(
            heading,
            justify="right" if side == "right" else "left",
            header_style="bold",
            no_wrap=True,
        )
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    console.print(made)


def line(text: str = "") -> None:
    """A line of text."""
    console.print(Text(text), soft_wrap=True)


def money(usd: Decimal | None, *, lower_bound: bool = False) -> str:
    """Dollars: cents from ten dollars up, four significant digits below, all of them
    exact to what is shown. A lower bound says so; what is not known is a dash."""
    if usd is None:
        return "–"
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


def share(rate: float | None) -> str:
    """A share as a percentage."""
    return "–" if rate is None else f"{rate:.0%}"


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
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on standard error; call what it yields with the amount done."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
        TimeElapsedColumn(),
        console=_errors,
        transient=not _errors.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=total, unit="")

        def update(done: float, *, unit: str = "") -> None:
            bar.update(task, completed=done, unit=unit)

        yield update
