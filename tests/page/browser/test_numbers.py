"""Every number on the page is the ledger's."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.report.amounts import money
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.collector.web.page.cells import UNKNOWN
from farthing.dashboards.catalogue import DASHBOARDS, Dashboard, panel
from farthing.dashboards.macros import View, expanded
from farthing.dashboards.panel import Column
from tests.dashboards.conftest import NOW
from tests.page.browser.conftest import Watched

_SCALES: Final = {
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "%": Decimal("0.01"),
}
_CELLS: Final = """
Object.fromEntries([...document.querySelectorAll("section.card")].map((card) =>
  [card.id, [...card.querySelectorAll("tbody tr")].map((row) =>
    [...row.cells].map((cell) => cell.textContent))]))
"""
_NUMBER: Final = re.compile(r"(-?)\$?([\d,]+(?:\.\d+)?)\s?([kMG%]?)")
_CHECKED: Final = ("usd", "tokens", "count", "share", "ratio")


def is_shown(text: str, value: Any) -> bool:
    """Whether a cell's text is the value, as exact as its digits are."""
    if value is None:
        return text.strip() == UNKNOWN
    found = _NUMBER.search(text)
    if found is None:
        return False
    sign, digits, unit = found.groups()
    scale = _SCALES[unit]
    said = Decimal(f"{sign}{digits.replace(',', '')}")
    last = scale / 10 ** len(digits.partition(".")[2])
    return bool(abs(Decimal(value) - said * scale) <= last * Decimal("0.51"))


def checked(column: Column) -> bool:
    """Whether a column's cells are numbers that can be read back."""
    return column.unit in _CHECKED


def tables(board: Dashboard) -> list[str]:
    """Its panels that have a table of their own or behind a chart."""
    names = dict.fromkeys(board.panels)
    return [n for n in names if panel(n).chart != "stat" and n != "runs"]


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.id)
def test_tables_are_what_sql_says(
    watched: Watched, site: str, demo_store: Store, board: Dashboard
) -> None:
    """Each number in each table is the one of its panel's SQL, rounded to the digits
    that are shown; there are as many rows, in the same order."""
    path = "/" if board.id == "overview" else f"/dashboards/{board.id}"
    about = {"run": (LOOP_RUN_ID,)} if board.chooses else {}
    tab = watched.tab(f"{site}{f'/runs/{LOOP_RUN_ID}' if about else path}")
    view = View(NOW - timedelta(days=board.days), NOW, about)
    shown = tab.evaluate(_CELLS)
    wrong = []
    for name in tables(board):
        one = panel(name)
        told = demo_store.rows(expanded(one.text, view, hourly=one.hourly))
        assert len(shown[name]) == len(told), name
        wrong += [
            (name, column.name, text, row[column.name])
            for cells, row in zip(shown[name], told, strict=True)
            for column, text in zip(one.columns, cells, strict=True)
            if checked(column) and not is_shown(text, row[column.name])
        ]
    assert wrong == []


def test_the_total_is_the_reports(
    watched: Watched, site: str, demo_store: Store
) -> None:
    """What was spent, and what each kind of task cost, is what `farthing report` says
    of the same days, to the last digit in the table's CSV."""
    report = spend(demo_store, by="task_type", since=NOW - timedelta(days=7), now=NOW)
    tab = watched.tab(site)
    total = money(report.total.cost_usd, lower_bound=report.total.lower_bound)
    assert tab.locator("[data-panel='spend'] .value").first.inner_text() == total
    with tab.expect_download() as told:
        tab.locator("#task_types a.csv").click()
    lines = told.value.path().read_text(encoding="utf-8").splitlines()
    costs = {line.split(",")[0]: Decimal(line.split(",")[1]) for line in lines[1:]}
    assert costs == {group.key: group.cost_usd for group in report.groups}
