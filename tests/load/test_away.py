"""A ClickHouse server that goes away and comes back, over its real protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.collector.store.client import Address, Store
from tests.clickhouse_server import ClickHouseServer, clickhouse_server
from tests.load.loading import (
    Way,
    balance,
    opened_ledger,
    poison,
    request,
    running,
    way,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    folder = tmp_path_factory.mktemp("server")
    with clickhouse_server(folder, writable=True) as started:
        yield started


@pytest.fixture
def store(server: ClickHouseServer, tmp_path: Path) -> Iterator[Store]:
    database = "t" + "".join(filter(str.isalnum, tmp_path.name))
    made = Store(Address(host="127.0.0.1", port=server.port, database=database))
    yield made
    made.close()


@pytest.fixture
def on_way(store: Store, tmp_path: Path) -> Iterator[Way]:
    with way(tmp_path, opened_ledger(store)) as made:
        yield made


def test_server_takes_all_once(on_way: Way, store: Store) -> None:
    """Over HTTP as in the embedded engine: good requests are loaded once, a poisonous
    one is put aside."""
    on_way.append([*map(request, range(30)), poison(30), *map(request, range(31, 40))])
    on_way.run_dry()
    balance(store, set(range(40)) - {30})
    assert len(on_way.put_aside()) == 1


def test_away_at_first(on_way: Way, store: Store, server: ClickHouseServer) -> None:
    """Requests are acknowledged while the store is away, and loaded when it comes."""
    server.kill()
    with running(on_way):
        on_way.append(map(request, range(100)))
        assert "away" in on_way.wait_for_problem()
        assert on_way.put_aside() == []
        on_way.append(map(request, range(100, 150)))
        server.start()
        on_way.wait_until_dry()
    balance(store, range(150))
    assert on_way.loader.problem is None
    assert on_way.metric("farthing_load_failures_total", cause="away") > 0


def test_killed_while_loading(
    on_way: Way, store: Store, server: ClickHouseServer
) -> None:
    """A store that is killed in the midst of loading, again and again, has everything
    once in the end."""
    with running(on_way):
        for round_ in range(4):
            on_way.append(map(request, range(round_ * 200, round_ * 200 + 200)))
            server.kill()
            on_way.append(map(request, range(round_ * 200 + 100, round_ * 200 + 200)))
            server.start()
        on_way.wait_until_dry()
    balance(store, range(800))
    assert on_way.put_aside() == []
