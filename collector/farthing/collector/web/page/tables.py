"""Panels as tables: on the page, sorted as the URL says, and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from farthing.collector.report.plain import plain
from farthing.collector.web.page.asking import Rows
from farthing.collector.web.page.cells import Cell, cell
from farthing.collector.web.page.choice import Choice, Sort
from farthing.dashboards.panel import CALM_MARKS, Column, Panel

_FORMULA: Final = re.compile(r"""(^|[;\t\r\n])([\s"']*[=+\-@])""")
"""What makes a spreadsheet run a text (OWASP, CSV injection): a sign at its beginning,
also after blanks, or behind what separates cells for some spreadsheets."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading; `href` sorts by it."""

    text: str
    is_number: bool
    href: str
    sorted: Literal["", "ascending", "descending"]


@dataclass(frozen=True, slots=True)
class Line:
    """A row; marked where it belongs to something that went wrong."""

    cells: tuple[Cell, ...]
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of cells."""

    headings: tuple[Heading, ...]
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table stands: the choice, its page's path, the run that it is about. A
    `document` stands alone: nothing in it leads anywhere."""

    choice: Choice
    path: str
    run_id: str = ""
    is_document: bool = False


def table(name: str, panel: Panel, rows: Rows, place: Place, marks: Rows = ()) -> Table:
    """The table of a panel's rows; `marks` are those of `run_marks`, by turn."""
    sort = place.choice.sorts.get(name)
    columns = [column for column in panel.columns if column.name != panel.preface]
    longest = {column.name: _longest(column, rows) for column in columns}
    return Table(
        tuple(_heading(name, column, sort, place) for column in columns),
        tuple(
            Line(
                tuple(
                    cell(
                        column,
                        row,
                        choice=None if place.is_document else place.choice,
                        run_id=place.run_id,
                        longest=longest[column.name],
                    )
                    for column in columns
                ),
                _is_marked(row, marks),
            )
            for row in in_order(panel, rows, sort)
        ),
    )


def in_order(panel: Panel, rows: Rows, sort: Sort | None) -> Rows:
    """The rows sorted; what is not known comes last. Without a sort, or by a column
    that there is not, they keep their order."""
    columns = {column.name: column for column in panel.columns if _can_sort(column)}
    if sort is None or sort.column not in columns:
        return rows
    known = [row for row in rows if row[sort.column] is not None]
    unknown = [row for row in rows if row[sort.column] is None]
    known.sort(key=_key(sort.column), reverse=sort.descending)
    return known + unknown


def as_csv(panel: Panel, rows: Rows) -> str:
    """The rows as CSV (RFC 4180): names of columns, then values, exact. Times are ISO
    8601 in UTC, what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in panel.columns])
    writer.writerows(
        [_plain(row[column.name]) for column in panel.columns] for row in rows
    )
    return out.getvalue()


def _is_marked(row: Mapping[str, Any], marks: Rows) -> bool:
    """Whether a turn is one of a run without progress."""
    turn = row.get("turn")
    return turn is not None and any(
        mark["turn"] <= turn <= mark["until_turn"]
        for mark in marks
        if mark["what"] not in CALM_MARKS
    )


def _heading(name: str, column: Column, sort: Sort | None, place: Place) -> Heading:
    is_number = column.unit not in ("text", "time", "flag", "sparkline")
    if place.is_document or not _can_sort(column):
        return Heading(column.heading, is_number, "", "")
    is_sorted = sort is not None and sort.column == column.name
    down = not sort.descending if sort and is_sorted else column.unit != "text"
    href = place.choice.sorting(name, Sort(column.name, down)).url(place.path)
    direction: Literal["", "ascending", "descending"] = ""
    if sort and is_sorted:
        direction = "descending" if sort.descending else "ascending"
    return Heading(column.heading, is_number, f"{href}#{name}", direction)


def _can_sort(column: Column) -> bool:
    return column.unit != "sparkline"


def _key(column: str) -> Callable[[Mapping[str, Any]], Any]:
    def key(row: Mapping[str, Any]) -> Any:
        value = row[column]
        return value.casefold() if isinstance(value, str) else value

    return key


def _longest(column: Column, rows: Rows) -> float:
    if not column.bar:
        return 0
    return max((float(abs(row[column.name] or 0)) for row in rows), default=0)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'\2", value)
    return str(value)
