"""Ways through the page: filters, sorting, from a row to its runs, a run, a call."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from tests.page.html import Element, read, table


def page(web: TestClient, url: str) -> Element:
    answer = web.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return read(answer.text)


def links(found: Element, panel: str) -> dict[str, str]:
    """The links of a panel's table, by their text."""
    card = found.one("section", data_panel=panel)
    return {link.text: link.attributes["href"] for link in card.one("tbody").all("a")}


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def test_from_the_overview_to_one_call(web: TestClient) -> None:
    """Task, its runs, a run, its loop, a call: each is a link, and range and filters go
    along."""
    overview = page(web, "/?range=30d&business_unit=platform")
    task = links(overview, "task_types")["code-review"]
    assert query(task) == {
        "range": ["30d"],
        "business_unit": ["platform"],
        "task_type": ["code-review"],
    }
    of_task = page(web, task)
    [runs] = [a for a in of_task.all("a") if a.text == "its runs"]
    assert query(runs.attributes["href"]) == query(task)
    listed = page(web, runs.attributes["href"])
    run = links(listed, "dearest_runs")[LOOP_RUN_ID]
    assert query(run) == query(task)
    of_run = page(web, run)
    marks = table(of_run, "run_marks")
    assert any(row[2] == "loop" for row in marks)
    marked = of_run.one("section", data_panel="run_steps").all("tr", class_="is-marked")
    call = marked[0].all("a")[0].attributes["href"]
    assert query(call) == query(task)
    assert "How its cost came about" in page(web, call).text


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("/?range=1d", "Runs count whole if they ended in it."),
        (
            "/?from=2026-03-18T10:05&to=2026-03-18T11:20",
            "if they ended in it, spend by whole hours: 10:00 to 11:59.",
        ),
    ],
)
def test_it_says_what_is_in_the_range(web: TestClient, url: str, rule: str) -> None:
    """A dashboard says what counts as being in its range, of runs and of spend; the
    list of runs says it, too."""
    for path in (url, f"/runs{url[1:]}"):
        assert rule in page(web, path).one("p", class_="range").text


def test_what_changed_names_both_periods(web: TestClient) -> None:
    """Above its table, once, and not in each row; the CSV has it in each."""
    found = page(web, "/dashboards/cost?range=1d").one("section", data_panel="movers")
    periods = found.one("p", class_="subtitle").text
    assert periods == (
        "2026-03-17 14:00 to 2026-03-18 14:30 against"
        " 2026-03-16 14:00 to 2026-03-17 14:00 UTC"
    )
    assert periods not in found.one("tbody").text
    assert periods in web.get("/panels/movers.csv?range=1d").text


def test_a_filter_leaves_what_it_says(web: TestClient) -> None:
    """With a business unit chosen, its rows alone are left, and the choice is seen."""
    found = page(web, "/dashboards/cost?business_unit=finance")
    assert {row[1] for row in table(found, "chargeback")} == {"finance"}
    select = found.one("select", name="business_unit")
    [chosen] = [o for o in select.all("option") if "selected" in o.attributes]
    assert chosen.text == "finance"


def test_several_values_of_a_filter(web: TestClient) -> None:
    """A URL may choose several values of one filter; its form keeps them."""
    url = "/dashboards/cost?business_unit=finance&business_unit=platform"
    found = page(web, url)
    assert {row[1] for row in table(found, "chargeback")} == {"finance", "platform"}
    select = found.one("select", name="business_unit")
    assert "multiple" in select.attributes
    chosen = [o.text for o in select.all("option") if "selected" in o.attributes]
    assert chosen == ["finance", "platform"]


def test_a_bar_leads_to_its_runs(web: TestClient) -> None:
    """What is drawn leads to what it was made of: a bar over time to the runs of its
    time and model."""
    found = page(web, "/?range=7d")
    figure = found.one("figure", data_panel="spend_by_model")
    bar = json.loads(figure.one("script").text)["datasets"]["rows"][0]
    chosen = query(bar["href"])
    assert chosen["model"] == [bar["series"].removeprefix("≥ ")]
    assert chosen["from"] == [bar["time"][:16]]
    listed = table(page(web, bar["href"]), "runs")
    assert listed
    assert all(row[4][:16].replace(" ", "T") >= bar["time"][:16] for row in listed)


def test_tables_are_sorted_by_link(web: TestClient) -> None:
    """A heading's link sorts by it, numbers from high to low first, then the other way;
    what is not known comes last; the heading says so to a screen reader."""

    def heading(found: Element, text: str) -> Element:
        card = found.one("section", data_panel="runs")
        [one] = [th for th in card.all("th") if th.text == text]
        return one

    def costs(found: Element) -> list[float]:
        told = [row[10].lstrip("≥ $") for row in table(found, "runs")]
        known = [float(text) for text in told if text != "–"]  # noqa: RUF001
        assert told[: len(known)] == [text for text in told if text != "–"]  # noqa: RUF001
        return known

    first = page(web, "/runs?range=7d&agent=sql-writer")
    assert "aria-sort" not in heading(first, "cost").attributes
    down = page(web, heading(first, "cost").one("a").attributes["href"])
    assert heading(down, "cost").attributes["aria-sort"] == "descending"
    assert costs(down) == sorted(costs(down), reverse=True)
    up = page(web, heading(down, "cost").one("a").attributes["href"])
    assert heading(up, "cost").attributes["aria-sort"] == "ascending"
    assert costs(up) == sorted(costs(up))
    assert query(heading(up, "cost").one("a").attributes["href"])["agent"]


def test_csv_keeps_the_choice(web: TestClient) -> None:
    """A table's CSV has the filters and the order of its page."""
    found = page(web, "/runs?range=7d&agent=sql-writer&sort=runs.-cost_usd")
    card = found.one("section", data_panel="runs")
    url = card.one("a", class_="csv").attributes["href"]
    assert query(url) == {
        "range": ["7d"],
        "agent": ["sql-writer"],
        "sort": ["runs.-cost_usd"],
    }
    lines = web.get(url).text.splitlines()
    shown = [row[0] for row in table(found, "runs")]
    assert [line.partition(",")[0] for line in lines[1:]] == shown


def test_a_run_is_found_by_the_beginning_of_its_id(web: TestClient) -> None:
    """The field for a run's id leads to it; what is none, or more than one, is told."""
    found = web.get("/runs", params={"find": LOOP_RUN_ID[:-3], "range": "30d"})
    assert found.status_code == 303
    assert found.headers["location"] == f"/runs/{LOOP_RUN_ID}?range=30d"
    for wanted, told in (("nothing", "no run"), ("code-review", "more than one")):
        answer = web.get("/runs", params={"find": wanted})
        assert answer.status_code == 404
        assert told in answer.text


def test_grafanas_way_to_a_run(web: TestClient) -> None:
    """The dashboard of a run is its page, or the list to choose one from."""
    one = web.get("/dashboards/run", params={"run": LOOP_RUN_ID})
    assert one.headers["location"] == f"/runs/{LOOP_RUN_ID}"
    assert web.get("/dashboards/run").headers["location"] == "/runs"


@pytest.mark.parametrize(
    ("clicks", "panel"),
    [
        ((), "spend"),  # what do we spend
        ((), "spend_by_model"),  # and on what
        (("Cost per task",), "outcomes"),  # what does one finished task cost
        ((RUNAWAY_RUN_ID,), "run_drivers"),  # which run ran away, and why
        (("Cache",), "cache_savings"),  # is caching paying
        (("Cost per task",), "chargeback"),  # who owes what
        (("Cost per task",), "movers"),  # what changed
        ((LOOP_RUN_ID,), "run_marks"),  # which run loops
    ],
)
def test_questions_are_few_clicks_away(
    web: TestClient, clicks: tuple[str, ...], panel: str
) -> None:
    """From the first page three clicks at most lead to the answer of what people come
    to ask, and over the demo's week there is one."""
    found = page(web, "/")
    assert len(clicks) <= 3
    for text in clicks:
        link = next(a for a in found.all("a") if a.text == text)
        found = page(web, link.attributes["href"])
    answer = found.all("section", data_panel=panel)[0]
    assert answer.all("p", class_="value") or table(found, panel)
