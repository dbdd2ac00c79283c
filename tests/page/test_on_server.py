"""The page over a ledger on a ClickHouse server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from farthing.collector.store.client import Address, Store
from farthing.collector.web.page.frame import NAV
from farthing.dashboards.catalogue import panels
from tests.clickhouse_server import clickhouse_server
from tests.page.conftest import browsing
from tests.page.ledgers import call, loaded, tool_call

SPANS = (
    call(run="first", tokens=5000),
    call(run="first", tokens=9000),
    call(run="unpriced", model="nobody-sells-this"),
    tool_call(run="first", tags="it's", tool="grep"),
)
OF_THE_STORE = frozenset({"storage", "arrivals", "lag"})
"""Panels that tell of the store itself and of when it was loaded."""


@pytest.fixture(scope="module")
def both(
    engine_folder: Path, ledger_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, TestClient]]:
    """Two pages over the same spans: on a server, and in the engine of this process."""
    with clickhouse_server(tmp_path_factory.mktemp("server"), writable=True) as server:
        url = f"clickhouse://127.0.0.1:{server.port}/ledger"
        addresses = (
            Address.parse(url),
            Address(path=engine_folder, database="page_of_both"),
        )
        for address in addresses:
            store = Store(address)
            loaded(store, *SPANS)
            store.close()
        with browsing(addresses[0]) as served, browsing(addresses[1]) as embedded:
            yield served, embedded


@pytest.mark.parametrize("path", [*(url for url, _ in NAV.values()), "/runs/first"])
def test_a_page_is_the_same(both: tuple[TestClient, TestClient], path: str) -> None:
    """Every page answers, no panel fails; but for health, both are the same bytes."""
    served, embedded = (client.get(path, params={"range": "1d"}) for client in both)
    assert served.status_code == embedded.status_code == 200
    assert 'class="problem"' not in served.text
    if path != NAV["health"][0]:
        assert served.text == embedded.text


@pytest.mark.parametrize("name", sorted(set(panels()) - OF_THE_STORE))
def test_a_csv_is_the_same(both: tuple[TestClient, TestClient], name: str) -> None:
    """Every panel's CSV has the same digits."""
    params = {"range": "1d", "run": "first"}
    served, embedded = (c.get(f"/panels/{name}.csv", params=params) for c in both)
    assert served.status_code == 200
    assert served.text == embedded.text


def test_a_call_is_the_same(both: tuple[TestClient, TestClient]) -> None:
    """A call's page says how its cost came about, whenever its ledger was loaded."""
    served, embedded = both

    def told(answer: Response) -> str:
        return re.sub(r"[-\d]+ [:\d]+ UTC by \w+", "", answer.text)

    found = re.search(r"/runs/first/calls/\w+", served.get("/runs/first").text)
    assert found
    text = told(served.get(found[0]))
    assert "How its cost came about" in text
    assert text == told(embedded.get(found[0]))
