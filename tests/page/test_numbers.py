"""Numbers on the page are those of SQL and of `farthing report`."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.report import amounts
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.collector.web.page.cells import UNKNOWN, shown
from farthing.collector.web.page.frame import NAV
from farthing.dashboards.catalogue import DASHBOARDS, dashboard, panel, panels
from farthing.dashboards.macros import View, expanded
from tests.demo_week import NOW
from tests.page.digits import checked, is_shown
from tests.page.html import read, table

WEEK = View(NOW - timedelta(days=7), NOW, {"run": (LOOP_RUN_ID,)})


def rows(store: Store, name: str, view: View = WEEK) -> list[dict[str, Any]]:
    one = panel(name)
    return store.rows(expanded(one.text, view, hourly=one.hourly))


def as_told(value: Any) -> str:
    """A value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if value else "0"
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def approx_text(text: str, value: float) -> str:
    """`text` itself where it is the value but for little."""
    return text if float(text) == pytest.approx(value, rel=0.01) else str(value)


@pytest.mark.parametrize("name", panels())
def test_csv_is_what_sql_says(web: TestClient, demo_store: Store, name: str) -> None:
    """The CSV of a panel has its columns and its rows, money to the last digit."""
    answer = web.get(f"/panels/{name}.csv", params={"range": "7d", "run": LOOP_RUN_ID})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    head, *told = csv.reader(io.StringIO(answer.text))
    assert head == [column.name for column in panel(name).columns]
    wanted = rows(demo_store, name)
    assert len(told) == len(wanted)
    for texts, row in zip(told, wanted, strict=True):
        for text, value in zip(texts, row.values(), strict=True):
            # Of sums of floats, and of quantiles, the last digits hang on threads.
            is_float = isinstance(value, float) or name == "tool_costs"
            assert text == (
                approx_text(text, value)
                if is_float and isinstance(value, float | int)
                else as_told(value)
            )


@pytest.mark.parametrize("board", [board.id for board in DASHBOARDS])
def test_tables_are_what_sql_says(
    web: TestClient, demo_store: Store, board: str
) -> None:
    """Each table on a dashboard has the rows of its SQL, in the same order, in words
    with their units; each number is the one of the SQL to the digits that are shown."""
    path = f"/runs/{LOOP_RUN_ID}" if board == "run" else NAV[board][0]
    page = read(web.get(path, params={"range": "7d"}).text)
    for name in dashboard(board).panels:
        one = panel(name)
        wanted = rows(demo_store, name)
        if one.chart == "stat" or not wanted or (board, name) == ("run", "runs"):
            continue
        found = table(page, name)
        columns = [column for column in one.columns if column.name != one.preface]
        assert len(found) == len(wanted), name
        for told, row in zip(found, wanted, strict=True):
            for text, column in zip(told, columns, strict=True):
                if checked(column):
                    assert is_shown(text, row[column.name]), column.name
                elif column.unit != "seconds":
                    length = 7 if column.name == "span_id" else 50
                    assert text.startswith(shown(column, row)[:length]), column.name


def test_the_spend_is_that_of_the_report(web: TestClient, demo_store: Store) -> None:
    """The first number of the first page is the total of `farthing report`."""
    total = spend(demo_store, by="model", since=WEEK.since, now=NOW).total
    page = read(web.get("/").text)
    tile = page.one("section", data_panel="spend")
    told = amounts.money(total.cost_usd, lower_bound=total.lower_bound)
    assert tile.one("p", class_="value").text == told
    assert told.startswith("≥ $")


def test_a_run_costs_what_its_calls_cost(web: TestClient, demo_store: Store) -> None:
    """A run's number is the sum of its calls' as the pages of these calls tell them."""
    page = read(web.get(f"/runs/{RUNAWAY_RUN_ID}").text)
    calls = {
        link.attributes["href"]
        for link in page.one("section", data_panel="run_steps").all("a")
        if "/calls/" in link.attributes["href"]
    }
    total = Decimal(0)
    for url in calls:
        call = read(web.get(url).text)
        parts = call.all("tbody")
        for row in parts[0].all("tr") if parts else []:
            total += Decimal(row.all("td")[3].text)
    chosen = View(WEEK.since, NOW, {"run": (RUNAWAY_RUN_ID,)})
    [run] = rows(demo_store, "run_summary", chosen)
    assert total == run["cost_usd"]
    cost = page.all("section", data_panel="run_summary")[0]
    assert cost.one("p", class_="value").text == amounts.money(total)


def test_unknown_is_never_zero(web: TestClient) -> None:
    """A model without a price has a dash where its cost would stand, and a count."""
    page = read(web.get("/dashboards/models").text)
    [local] = [r for r in table(page, "models_by_task") if "acme-local-coder-30b" in r]
    names = [column.name for column in panel("models_by_task").columns]
    told = dict(zip(names, local, strict=True))
    assert told["cost_usd"] == UNKNOWN
    assert told["unpriced_calls"] == told["calls"] != "0"


def test_every_digit_can_be_had(web: TestClient, demo_store: Store) -> None:
    """Shown money is rounded; the pointer on it tells all of it, in a tile as in a
    table, and the page says so."""
    page = read(web.get("/").text)
    total = spend(demo_store, by="model", since=WEEK.since, now=NOW).total.cost_usd
    tile = page.one("section", data_panel="spend")
    assert tile.one("p", class_="value").attributes["title"] == f"{as_told(total)} USD"
    card = page.one("section", data_panel="task_types")
    told = [row.all("td")[1].attributes["title"] for row in card.one("tbody").all("tr")]
    costs = [row["cost_usd"] for row in rows(demo_store, "task_types")]
    assert told == [f"{as_told(cost)} USD" for cost in costs]
    assert "all its digits" in page.one("footer").text
