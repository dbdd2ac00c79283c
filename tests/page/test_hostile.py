"""Names from strangers in every tag: text on every page, in every CSV, in the file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from starlette.testclient import TestClient

from farthing.collector.store.client import Address, Store
from farthing.collector.web.page.document import document
from farthing.collector.web.page.frame import NAV
from farthing.collector.web.page.links import call_path, run_path
from farthing.dashboards.catalogue import panel, panels
from tests.demo_week import NOW
from tests.page.conftest import browsing
from tests.page.html import Element, read, table
from tests.page.ledgers import call, loaded, tool_call

_TWO_CELLS: Final = "'; DROP TABLE spans; --"
_TWO_CELLS_MARKED: Final = "'; DROP TABLE spans;' --"
"""Where a semicolon begins a cell, the second one would be a formula."""
NAMES: Final = (
    "<script>alert(1)</script>",
    "</script></style></title><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    _TWO_CELLS,
    "' OR 1=1 UNION SELECT * FROM spans --",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} {% raw %} 100 % \\ ../..?a=b&c#d",
    "\u202egnp.exe \u2067 مرحبا",
    "$__timeFilter(t.time)",
    '=HYPERLINK("https://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1,1)",
    "a/calls/0123456789abcdef",
    f"{'long ' * 2000}end",
)
FORMULAS: Final = tuple(name for name in NAMES if name[0] in "=+-@")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


@pytest.fixture(scope="module")
def hostile(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """Runs of which every tag is such a name, with calls of models and of tools that
    have it, too."""
    store = Store(Address(path=engine_folder, database="page_strangers"))
    loaded(
        store,
        *(call(run=name, tags=name) for name in NAMES),
        *(call(run=name, tags=name, model=name) for name in NAMES),
        *(tool_call(run=name, tags=name, tool=name) for name in NAMES),
    )
    yield store
    store.close()


@pytest.fixture(scope="module")
def strangers(hostile: Store) -> Iterator[TestClient]:
    with browsing(hostile.address) as client:
        yield client


def spans(store: Store) -> list[dict[str, str]]:
    return store.rows("SELECT run_id, span_id FROM spans WHERE entry = 'span'")


def assert_harmless(page: Element) -> None:
    """It has no element that is not ours, none that runs, none that leads elsewhere."""
    for element in page.all():
        told = element.attributes
        assert element.name not in {"img", "iframe", "object", "embed", "base"}
        assert not [name for name in told if name.startswith("on")]
        if element.name == "script":
            assert told.get("src", "").startswith("/static/") or "type" in told
        for name in ("src", "href", "action"):
            assert re.match(r"[/#]|$", told.get(name, "")), told


@pytest.mark.parametrize("path", [url for url, _ in NAV.values()])
def test_a_dashboard_of_strangers(strangers: TestClient, path: str) -> None:
    """Elements nest as they should, and none is made of a name; what charts draw is
    JSON that no name ends early."""
    answer = strangers.get(path, params={"range": "1d"})
    assert answer.status_code == 200
    assert 'class="problem"' not in answer.text
    page = read(answer.text)
    assert_harmless(page)
    for script in page.all("script", type="application/json"):
        assert json.loads(script.text)


def test_every_run_and_call_can_be_opened(
    strangers: TestClient, hostile: Store
) -> None:
    """A run and a call have pages at the addresses that links to them have, whatever
    their run is called, and say whose they are."""
    one_of_each = {span["run_id"]: span["span_id"] for span in spans(hostile)}
    assert set(one_of_each) == {name.strip() for name in NAMES}
    for run_id, span_id in one_of_each.items():
        run = read(strangers.get(run_path(run_id)).text)
        assert_harmless(run)
        assert run.one("h1").one("bdi").text == run_id.strip()
        of_call = strangers.get(call_path(run_id, span_id))
        assert of_call.status_code == 200
        assert_harmless(read(of_call.text))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_be_chosen(strangers: TestClient, name: str) -> None:
    """A filter takes any name as a value: its run is left, and no SQL is run."""
    chosen = {"range": "1d", "task_type": name, "agent": name, "user": "it's"}
    page = read(strangers.get("/runs", params=chosen).text)
    [row] = table(page, "runs")
    assert row[0].startswith(name[:50].strip())


@pytest.mark.parametrize("name", panels())
def test_no_csv_runs_in_a_spreadsheet(strangers: TestClient, name: str) -> None:
    """No cell begins as a formula does (OWASP, CSV injection); behind the mark that
    prevents it the name is whole."""
    answer = strangers.get(f"/panels/{name}.csv", params={"range": "1d", "run": "-2+3"})
    assert answer.status_code == 200
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert all(len(row) == len(head) for row in rows)
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert not cell.startswith("-") or _NUMBER.fullmatch(cell)
    if name == "runs":
        told = {row[head.index("task_type")] for row in rows}
        marked = {n: f"'{n}" for n in FORMULAS} | {_TWO_CELLS: _TWO_CELLS_MARKED}
        assert told == {marked.get(n, n) for n in NAMES}


def test_the_file_holds_no_name_that_runs(hostile: Store) -> None:
    """`farthing report --html` is one file: no script, no address, no name that is
    more than text, and a policy of its own that forbids all of that."""
    text = document(hostile, since=NOW.replace(hour=0), now=NOW)
    page = read(text)
    assert_harmless(page)
    assert page.all("script") == []
    assert not [e for e in page.all() if {"src", "href", "action"} & set(e.attributes)]
    assert not re.search(r"url\(|@import", page.one("style").text)
    [policy] = page.all("meta", http_equiv="Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'")
    for name in NAMES:
        assert name[:40].strip() in page.text


def test_the_ledger_is_as_it_was(strangers: TestClient, hostile: Store) -> None:
    """After all of that no table is gone and no entry is lost."""
    assert strangers.get("/").status_code == 200
    assert len(spans(hostile)) == 3 * len(NAMES)
    assert panel("runs").title in strangers.get("/runs").text
