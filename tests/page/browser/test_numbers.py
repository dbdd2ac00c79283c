"""Every number on the page is the ledger's."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.report.amounts import money
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.dashboards.catalogue import DASHBOARDS, Dashboard, dashboard, panel
from farthing.dashboards.macros import View, expanded
from tests.demo_week import NOW
from tests.page.browser.conftest import Watched
from tests.page.digits import checked, is_shown

_CELLS: Final = """
Object.fromEntries([...document.querySelectorAll("section.card")].map((card) =>
  [card.id, [...card.querySelectorAll("tbody tr")].map((row) =>
    [...row.cells].map((cell) => cell.textContent))]))
"""


def tables(board: Dashboard) -> list[str]:
    """Its panels that have a table of their own or behind a chart."""
    names = dict.fromkeys(board.panels)
    return [n for n in names if panel(n).chart != "stat" and n != "runs"]


@pytest.mark.parametrize("board", [dashboard("overview"), dashboard("run")])
def test_tables_are_what_sql_says(
    watched: Watched, site: str, demo_store: Store, board: Dashboard
) -> None:
    """Each number in each table is the one of its panel's SQL, rounded to the digits
    that are shown; there are as many rows, in the same order. Without a browser the
    same is tested of every dashboard."""
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


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.id)
def test_every_table_is_a_csv(watched: Watched, site: str, board: Dashboard) -> None:
    """Of every table that has rows, behind a chart or not, the browser is given a file
    with as many, and with its columns."""
    paths = {"overview": "/", "run": f"/runs/{LOOP_RUN_ID}"}
    tab = watched.tab(f"{site}{paths.get(board.id, f'/dashboards/{board.id}')}")
    shown = {name: rows for name, rows in tab.evaluate(_CELLS).items() if rows}
    assert shown
    for name, rows in shown.items():
        with tab.expect_download() as told:
            tab.locator(f"#{name} a.csv").click()
        assert told.value.suggested_filename == f"{name}.csv"
        with told.value.path().open(encoding="utf-8", newline="") as file:
            headings, *lines = csv.reader(file)
        assert len(lines) == len(rows), name
        assert len(headings) == len(panel(name).columns), name


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
