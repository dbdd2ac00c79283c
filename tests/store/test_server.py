"""The ledger on a ClickHouse server: the same code as on the embedded engine."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from farthing.collector.store.client import Address, Away, Store
from farthing.collector.store.ledger import Ledger, delimited
from farthing.collector.store.schema import Ddl, migrations
from farthing.collector.store.text import sql_file
from farthing.economics.prices import load_catalogue
from farthing.errors import ConfigError, StoreUnavailable
from tests.clickhouse_server import ClickHouseServer, clickhouse_server
from tests.store.otlp import captured

CAPTURES = sorted((Path(__file__).parents[1] / "otlp").glob("*.pb"))
REQUESTS = [request for path in CAPTURES for request in captured(path)]
OpenStore = Callable[..., Store]


@pytest.fixture(scope="session")
def open_store(server: ClickHouseServer) -> Iterator[OpenStore]:
    """Opens stores on the server, by URL, as an operator names them."""
    opened = []

    def open_one(database: str | None = None) -> Store:
        name = database or f"d{secrets.token_hex(4)}"
        url = f"clickhouse://127.0.0.1:{server.port}/{name}"
        opened.append(Store(Address.parse(url)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def ledger_on_server(open_store: OpenStore) -> Ledger:
    """A ledger on the server with every capture in it, as one batch."""
    ledger = Ledger(open_store("spending"), load_catalogue())
    ledger.open(retention_days=36_500)
    ledger.load("captures", REQUESTS)
    return ledger


def _remembered(ledger: Ledger) -> dict[str, str]:
    """How many names of batches each table knows that takes a batch once."""
    found = ledger.store.rows(
        "SELECT name, extract(engine_full, 'deduplication_window = (\\d+)') AS names"
        " FROM system.tables WHERE database = currentDatabase() AND names != ''"
    )
    return {row["name"]: row["names"] for row in found}


def test_a_server_knows_batches_for_long(
    ledger_on_server: Ledger, ledger: Ledger
) -> None:
    """Other collectors load into a server while one that was killed is away, so it
    knows more names; the embedded engine has one collector, which it knows again."""
    tables = {"spans", "spend_hourly", "runs", "run_agents", "telemetry_hourly"}
    tables |= {"outcomes", "tellings"}
    assert _remembered(ledger_on_server) == dict.fromkeys(tables, "10000")
    assert _remembered(ledger) == dict.fromkeys(tables, "1000")


def _table(store: Store, name: str) -> list[dict[str, Any]]:
    """Its rows, without when they came in."""
    rows = store.rows(f"SELECT * FROM {name} ORDER BY ALL")
    its_own = ("ingested_at",)
    return [{k: v for k, v in row.items() if k not in its_own} for row in rows]


def test_captures_become_the_same_rows_as_on_the_embedded_engine(
    ledger_on_server: Ledger, new_store: Store
) -> None:
    """A batch leaves the same entries on a server and in the embedded engine, in each
    table and column that tells of it."""
    embedded = Ledger(new_store, load_catalogue())
    embedded.open(retention_days=36_500)
    embedded.load("captures", REQUESTS)
    for store in (ledger_on_server.store, new_store):
        store.command("OPTIMIZE TABLE runs FINAL")
        store.command("OPTIMIZE TABLE spend_hourly FINAL")
    for table in ("spans", "runs", "spend_hourly"):
        found = _table(ledger_on_server.store, table)
        assert found == _table(new_store, table)
        assert len(found) > 1


def test_a_batch_that_is_sent_again_counts_once(open_store: OpenStore) -> None:
    """A batch that is loaded again under its name changes no table; under another name
    it changes each."""
    ledger = Ledger(open_store(), load_catalogue())
    ledger.open(retention_days=36_500)
    query = (
        "SELECT (SELECT count() FROM spans) AS spans, (SELECT sum(spans) FROM runs) AS"
        " in_runs, (SELECT sum(calls) FROM spend_hourly) AS calls"
    )
    ledger.load("captures", REQUESTS)
    [once] = ledger.store.rows(query)
    ledger.load("captures", REQUESTS)
    assert ledger.store.rows(query) == [once]
    ledger.load("others", REQUESTS)
    [twice] = ledger.store.rows(query)
    assert twice == {name: 2 * count for name, count in once.items()}


def test_a_large_batch_is_sent_as_it_is_read(open_store: OpenStore) -> None:
    """Of a batch that goes to a server, a small part is in memory at once."""
    ledger = Ledger(open_store(), load_catalogue())
    ledger.open(retention_days=36_500)
    large = max(REQUESTS, key=len)
    requests = [large] * (32 * 1024**2 // len(large))
    tracemalloc.start()
    try:
        ledger.load("large", requests)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024**2
    counts = ledger.store.rows("SELECT count() AS n FROM spans GROUP BY span_id")
    assert {row["n"] for row in counts} == {len(requests)}


def test_a_batch_that_broke_off_is_sent_again_whole(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a batch cannot be sent to its end nothing of it is in the ledger; sent
    again under its name, all of it is, once."""
    ledger = Ledger(open_store(), load_catalogue())
    ledger.open(retention_days=36_500)
    large = max(REQUESTS, key=len)
    requests = [large] * (6 * 1024**2 // len(large))

    def broken_off(requests: Sequence[bytes]) -> Iterator[bytes]:
        yield from delimited(requests[: len(requests) // 2])
        raise OSError("the disk cannot be read")

    with monkeypatch.context() as patched:
        patched.setattr("farthing.collector.store.ledger.delimited", broken_off)
        with pytest.raises(Away):
            ledger.load("broken off", requests)
    assert not ledger.has_entries_of("broken off")
    for _ in range(2):
        ledger.load("broken off", requests)
    counts = ledger.store.rows("SELECT count() AS n FROM spans GROUP BY span_id")
    assert {row["n"] for row in counts} == {len(requests)}


def test_collectors_that_start_at_once_on_one_server(open_store: OpenStore) -> None:
    """Collectors that open an empty ledger at the same moment all succeed, load, and
    leave one schema behind."""
    for _ in range(2):
        first = open_store()
        ledgers = [
            Ledger(open_store(first.database), load_catalogue()) for _ in range(3)
        ]
        with ThreadPoolExecutor(len(ledgers)) as threads:
            ready = threading.Barrier(len(ledgers))

            def start(ledger: Ledger, ready: threading.Barrier = ready) -> None:
                ready.wait()
                ledger.open(retention_days=90)
                ledger.load(f"captures {id(ledger)}", REQUESTS[:1])

            list(threads.map(start, ledgers))
        done = first.rows("SELECT uniqExact(version) AS n FROM migrations WHERE done")
        assert done == [{"n": len(migrations())}]
        [loaded] = first.rows(
            "SELECT uniqExact(load) AS loads, count() / uniqExact(span_id) AS times"
            " FROM spans"
        )
        assert loaded == {"loads": 3, "times": 3.0}


def test_the_database_of_the_url_holds_the_ledger(ledger_on_server: Ledger) -> None:
    """All tables, dictionaries and entries are in the database that the URL names."""
    found = ledger_on_server.store.rows(
        "SELECT name FROM system.databases WHERE name IN ('spending', 'farthing')"
    )
    assert found == [{"name": "spending"}]
    dictionaries = ledger_on_server.store.rows(
        "SELECT name FROM system.dictionaries WHERE database = 'spending'"
    )
    assert {row["name"] for row in dictionaries} == {
        "price_rates",
        "price_keys",
        "price_models",
        "price_fees",
        "price_bounds",
    }


def test_a_new_catalogue_is_used_at_once(open_store: OpenStore) -> None:
    """Prices that are put in force later price what is loaded later, and only that."""
    ledger = Ledger(open_store(), load_catalogue())
    ledger.open(retention_days=90)
    shipped = load_catalogue()
    ledger.store.insert("catalogues", ["catalogue"], [["of another collector"]])
    newest = "SELECT DISTINCT catalogue FROM dictionary(price_rates)"
    ledger.store.command("SYSTEM RELOAD DICTIONARY price_rates")
    assert ledger.store.rows(newest) == []
    ledger.use_prices(shipped)
    assert ledger.store.rows(newest) == [{"catalogue": shipped.sha256}]


def test_a_new_password_of_the_store_reaches_the_dictionaries(
    open_store: OpenStore,
) -> None:
    """Dictionaries that log in with a password that no longer holds are made anew."""
    ledger = Ledger(open_store(), load_catalogue())
    ledger.open(retention_days=90)
    old = Ddl(dataclasses.replace(ledger.store.address, password="old"))
    for statement in old.statements(sql_file("dictionaries.sql")):
        if statement.startswith("CREATE"):
            _, _, dictionary = statement.partition("IF NOT EXISTS ")
            ledger.store.command(f"CREATE OR REPLACE DICTIONARY {dictionary}")
    with pytest.raises(Away, match="password is incorrect"):
        ledger.store.command("SYSTEM RELOAD DICTIONARY price_rates")
    ledger.open(retention_days=90)
    ledger.store.command("SYSTEM RELOAD DICTIONARY price_rates")


def test_a_wrong_password_is_the_operators_to_fix(tmp_path: Path) -> None:
    """At start, a server that does not let the collector in is a wrong configuration;
    the right password may hold what a URL and SQL would take for their own signs."""
    password = "it's; \\ a\tpass/word@home"
    with clickhouse_server(tmp_path, writable=True, token=password) as server:

        def opened(password: str) -> Store:
            secret = quote(password, safe="")
            return Store(
                Address.parse(f"clickhouse://me:{secret}@127.0.0.1:{server.port}")
            )

        with pytest.raises(ConfigError, match=r"user and password in FARTHING_STORE"):
            Ledger(opened("wrong"), load_catalogue()).open(retention_days=90)
        opened(password).create_database()


def test_a_server_that_is_away_may_come_back() -> None:
    """A server that does not answer is unavailable, not wrongly configured."""
    store = Store(Address.parse("clickhouse://127.0.0.1:1/farthing"))
    with pytest.raises(StoreUnavailable, match=r"clickhouse://default@127\.0\.0\.1:1/"):
        Ledger(store, load_catalogue()).open(retention_days=90)


def test_a_server_that_went_away_is_asked_again(
    ledger_on_server: Ledger, server: ClickHouseServer
) -> None:
    """After a kill -9 of the server a load is unavailable; once the server is back, the
    same connection loads it, and what was loaded before is still there, once."""
    counts = "SELECT load, count() AS n FROM spans GROUP BY load ORDER BY load"
    [before] = ledger_on_server.store.rows(counts)
    server.kill()
    with pytest.raises(Away):
        ledger_on_server.load("meanwhile", REQUESTS)
    server.start()
    ledger_on_server.load("meanwhile", REQUESTS)
    ledger_on_server.load("captures", REQUESTS)
    after = ledger_on_server.store.rows(counts)
    assert after == [before, {"load": "meanwhile", "n": before["n"]}]
