"""Re-pricing a ledger on a ClickHouse server."""

from __future__ import annotations

from pathlib import Path

from farthing.collector.reprice import Journal, preview, reprice
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.clickhouse_server import clickhouse_server
from tests.reprice.books import (
    EVER,
    calls,
    entries,
    in_force,
    load_calls,
    other_book,
    sums,
)
from tests.store.test_pricing_equal import expected


def test_it_is_the_same_on_a_server(tmp_path: Path) -> None:
    """Over HTTP too: what is shown is done, each call at the new price, sums agree."""
    book = other_book(load_catalogue(), 71)
    cases = calls(71, 600)
    with clickhouse_server(tmp_path, writable=True) as server:
        store = Store(Address.parse(f"clickhouse://127.0.0.1:{server.port}/repriced"))
        ledger = Ledger(store, load_catalogue())
        ledger.open(retention_days=36_500)
        load_calls(ledger, "calls", cases)
        shown = preview(store, book, EVER, progress=lambda _n: None)
        journal = Journal(tmp_path / "journal")
        done = reprice(store, book, EVER, journal=journal, progress=lambda _n: None)
        found, totals = in_force(entries(store)), sums(store)
        store.close()
    assert shown.changes == done.changes != []
    assert len(set(totals)) == 1
    for number, row in found.items():
        want = expected(cases[number], book)
        for name in ("cost_usd", "price_row", "cost_state"):
            assert row[name] == want[name]
