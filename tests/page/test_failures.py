"""What the page says of nothing, of failures and of addresses that are wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from farthing.collector.store.client import Address, Store
from farthing.collector.web.page import asking
from farthing.collector.web.page.choice import Choice
from farthing.collector.web.page.frame import NAV
from farthing.collector.web.page.headers import HEADERS
from farthing.dashboards.catalogue import panel, panels
from tests.page.conftest import OTLP_URL, browsing
from tests.page.html import Element, read
from tests.page.ledgers import call, loaded

_SLOW_VIEW = """
CREATE VIEW outcomes AS
SELECT toDateTime64('2026-03-18 14:00:00', 6, 'UTC') + number AS time,
    '' AS run_id, '' AS outcome, '' AS task_type, '' AS business_unit, '' AS agent,
    '' AS environment
FROM numbers(5)
WHERE sleepEachRow(0.4) = 0
"""


@pytest.fixture
def small(new_store: Store) -> Iterator[tuple[TestClient, Store]]:
    """A page over a ledger with one run, and the store to break."""
    loaded(new_store, call(run="a"))
    with browsing(new_store.address) as client:
        yield client, new_store


def problems(page: Element) -> dict[str, str]:
    """What is told of each panel that failed."""
    cards = page.all("section")
    told = {c.attributes.get("data-panel", ""): c.all(class_="problem") for c in cards}
    return {name: found[0].text for name, found in told.items() if found}


@pytest.mark.parametrize("path", [url for url, _ in NAV.values()])
def test_nothing_yet(web_of_nothing: TestClient, path: str) -> None:
    """Over an empty ledger every page says how to send something, and to where."""
    answer = web_of_nothing.get(path)
    assert answer.status_code == 200
    welcome = read(answer.text).one("section", class_="welcome")
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={OTLP_URL}" in welcome.text
    assert "farthing doctor" in welcome.text


@pytest.mark.parametrize("name", panels())
def test_csv_of_nothing(web_of_nothing: TestClient, name: str) -> None:
    """The CSV of a table without rows has its headings."""
    answer = web_of_nothing.get(f"/panels/{name}.csv")
    head = answer.text.splitlines()[0]
    assert head.split(",") == [column.name for column in panel(name).columns]


def test_the_store_is_away() -> None:
    """Where the ledger does not answer, every address says so with 503, and what to do;
    nothing is taken for empty."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with browsing(Address.parse(f"clickhouse://127.0.0.1:{port}/ledger")) as client:
        for path in ("/", "/runs", "/runs/a", "/runs/a/calls/b", "/dashboards/cost"):
            answer = client.get(path)
            assert answer.status_code == 503, path
            assert "cannot be asked" in read(answer.text).one("h1").text
            assert "farthing doctor" in answer.text
            assert "Nothing has arrived" not in answer.text
        answer = client.get("/panels/runs.csv")
        assert (answer.status_code, "doctor" in answer.text) == (503, True)


def test_an_answer_that_is_too_long(
    small: tuple[TestClient, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not cut in silence: its panel says what to choose."""
    client, store = small
    monkeypatch.setattr(asking, "LIMITS", {**asking.LIMITS, "max_result_rows": 1})
    loaded(store, call(run="b"))
    told = problems(read(client.get("/runs?range=1d").text))
    assert "more than 1 rows. Take a shorter range" in told["runs"]


def test_a_question_that_takes_too_long(
    small: tuple[TestClient, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended by the engine, and its panel says what to choose; others answer."""
    client, store = small
    monkeypatch.setattr(asking, "LIMITS", {**asking.LIMITS, "max_execution_time": 1})
    store.command("DROP TABLE outcomes SYNC")
    store.command(_SLOW_VIEW)
    told = problems(read(client.get("/dashboards/cost?range=1d").text))
    assert list(told) == ["cost_per_outcome"]
    assert "longer than 1 seconds. Take a shorter range" in told["cost_per_outcome"]


def test_a_panel_fails_alone(small: tuple[TestClient, Store]) -> None:
    """Where one question cannot be answered its panel says so, on the page as in its
    CSV; the others answer."""
    client, store = small
    store.command("DROP TABLE findings SYNC")
    told = problems(read(client.get("/?range=1d").text))
    assert {"findings", "waste"} <= set(told) < set(panels())
    assert "ledger refuses" in told["findings"]
    assert client.get("/panels/findings.csv").status_code == 503
    assert client.get("/panels/task_types.csv").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/?range=ever", 400, "choose one of 1h, 6h"),
        ("/?from=yesterday", 400, "write 2026-11-08"),
        ("/runs?from=2026-11-08&to=2026-11-01", 400, "begin before it ends"),
        ("/panels/runs.csv?range=ever", 400, "choose one of"),
        ("/dashboards/planets", 404, "There is no dashboard 'planets'"),
        ("/panels/planets.csv", 404, "There is no panel 'planets'"),
        ("/runs/there-is-none", 404, "there-is-none"),
        ("/runs/a/calls/0000000000000bad", 404, "0000000000000bad"),
        ("/nowhere", 404, "no such page"),
        ("/static/none.js", 404, "There is no such file"),
        ("/?from=0001-01-01T00:00%2B14:00", 400, "is no date"),
        ("/?from=2026-01-01&to=9999-12-31T23:59-14:00", 400, "is no date"),
    ],
)
def test_a_wrong_address_is_told(
    web: TestClient, path: str, status: int, told: str
) -> None:
    """What is wrong with it is said, with what would be right, and where to go on."""
    answer = web.get(path)
    assert answer.status_code == status
    page = read(answer.text)
    assert told in page.text
    assert {"/", "/runs"} <= {a.attributes["href"] for a in page.all("a")}


def test_what_is_no_choice_is_left_out(web: TestClient) -> None:
    """A variable that there is not, an empty one, and a sort by no column choose
    nothing, and no link carries them on."""
    query = "planet=mars&agent=&sort=runs.planet&sort=x"
    page = read(web.get(f"/runs?range=1d&{query}").text)
    assert page.one("section", id="runs").one("tbody").all("tr")
    nav = page.one("nav").all("a")
    assert not [a for a in nav if "planet" in a.attributes["href"]]
    assert [a for a in nav if "range=1d" in a.attributes["href"]]


def test_a_bug_is_told_as_strictly_as_all_else(
    new_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is a page, with every header of the others."""
    monkeypatch.setattr(Choice, "read", lambda _: 1 / 0)
    with browsing(new_store.address) as client:
        visitor = TestClient(
            client.app, base_url="http://127.0.0.1", raise_server_exceptions=False
        )
        answer = visitor.get("/")
    assert answer.status_code == 500
    assert (
        answer.headers.items()
        >= {name.lower(): value for name, value in HEADERS.items()}.items()
    )
    assert answer.headers["cache-control"] == "no-store"
