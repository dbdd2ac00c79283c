"""A dashboard's panels in rows: tiles, charts with their tables, tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, groupby
from typing import Final

from markupsafe import Markup

from farthing.collector.web.page.asking import Answer, Rows
from farthing.collector.web.page.figures import chart, chart_height, has_chart
from farthing.collector.web.page.tables import Place, Table, table
from farthing.collector.web.page.tiles import FORECAST, Tile, tiles
from farthing.dashboards.catalogue import Row, panel
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Panel

RUNS_OF_ALL: Final = "runs"
"""The panel of the dashboard of runs that is not about one run."""
EXPLORER: Final = (
    Row(4, (("cost_per_run", 8), ("waste", 8), ("unpriced", 8))),
    Row(10, (("turns_and_cost", 12), ("turns_per_run", 12))),
    Row(11, (("dearest_runs", 24),)),
    Row(14, ((RUNS_OF_ALL, 24),)),
)
MARKS: Final = "run_marks"
"""The panel that says at which turns of a run something happened."""
_UNITS = {"usd": "USD", "tokens": "tokens", "share": "percent", "seconds": "seconds"}


@dataclass(frozen=True, slots=True)
class Card:
    """A panel that is more than a number. `columns` are of the catalogue's grid,
    `height` pixels of its chart."""

    name: str
    panel: Panel
    columns: int
    subtitle: str
    table: Table
    chart: Markup | None
    height: int
    problem: str
    csv_url: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What stands side by side: tiles, or cards."""

    tiles: tuple[Tile, ...] = ()
    cards: tuple[Card, ...] = ()


def shelves(
    rows: Iterable[Row],
    answers: Mapping[str, Answer],
    place: Place,
    view: View,
    *,
    limit_usd: Decimal | None = None,
) -> Iterator[Shelf]:
    """The rows of a dashboard, each as soon as it is known; rows of tiles that follow
    each other stand on one shelf. `limit_usd` is what the month may cost, of what the
    view chooses."""
    for are_tiles, some in groupby(rows, _is_of_tiles):
        if are_tiles:
            made = (_tiles(row, answers, view, limit_usd) for row in some)
            yield Shelf(tiles=tuple(chain.from_iterable(made)))
        else:
            for row in some:
                yield Shelf(cards=tuple(_cards(row, answers, place, view)))


def _is_of_tiles(row: Row) -> bool:
    return all(panel(name).chart == "stat" for name, _ in row.panels)


def _tiles(
    row: Row, answers: Mapping[str, Answer], view: View, limit_usd: Decimal | None
) -> Iterator[Tile]:
    for name, _ in row.panels:
        alone = len(row.panels) == 1
        limit = limit_usd if name == FORECAST else None
        yield from tiles(answers[name], answers, view, is_alone=alone, limit_usd=limit)


def _cards(
    row: Row, answers: Mapping[str, Answer], place: Place, view: View
) -> Iterator[Card]:
    for name, width in row.panels:
        one, answer = panel(name), answers[name]
        has_marks = MARKS in answers and name != MARKS
        marks = answers[MARKS].rows if has_marks else ()
        usual = answers[one.usual].rows if one.usual else ()
        drawn = None
        if has_chart(one, answer.rows):
            drawn = chart(
                *(name, one, answer.rows),
                marks=marks,
                usual=usual,
                height=row.height,
                place=place,
                view=view,
            )
        yield Card(
            name=name,
            panel=one,
            columns=width,
            subtitle=_subtitle(
                one, answer.rows, view.bucket_s(hourly=one.hourly), usual
            ),
            table=table(name, one, answer.rows, place, marks),
            chart=drawn,
            height=chart_height(row.height),
            problem=answer.problem,
            csv_url=csv_url(name, place),
        )


def csv_url(name: str, place: Place) -> str:
    """Where a panel's table is as CSV, of the same range and filters."""
    run = {"run": place.run_id} if place.run_id else {}
    sort = place.choice.sorts.get(name)
    kept = place.choice.without_sorts()
    if sort is not None:
        kept = kept.sorting(name, sort)
    return kept.url(f"/panels/{name}.csv", **run)


def _subtitle(one: Panel, rows: Rows, bucket_s: int, usual: Rows) -> str:
    """The unit of what is drawn over time; else the question, or what the answer says
    of itself."""
    if one.preface and rows:
        return str(rows[0][one.preface])
    if not one.chart.startswith("time"):
        return f"{one.question} · {one.limit}" if one.limit else one.question
    unit = _UNITS.get(one.columns[-1].unit, one.columns[-1].heading)
    dashes = " · dashes: what is usual" if usual else ""
    of = "of each" if one.chart == "time_lines" else "per"
    return f"{unit} {of} {_span(bucket_s)}{dashes}"


def _span(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size:
            number = seconds // size
            plural = "s" if name == "day" and number > 1 else ""
            return f"{number} {name}{plural}" if number > 1 or name != "day" else name
    return f"{seconds} s"
