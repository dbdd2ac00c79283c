"""One embedded ledger for the tests of loading, emptied for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from tests.load.loading import Way, opened_ledger, way


@pytest.fixture(scope="session")
def loading_ledger(engine_folder: Path, ledger_store: Store) -> Iterator[Ledger]:
    """A ledger in a database of its own; `ledger_store` keeps the engine open."""
    store = Store(Address(path=engine_folder, database="loading"))
    yield opened_ledger(store)
    store.close()


@pytest.fixture
def ledger(loading_ledger: Ledger) -> Ledger:
    """That ledger, empty."""
    for table in ("spans", "runs", "spend_hourly"):
        loading_ledger.store.command(f"TRUNCATE TABLE {table}")
    return loading_ledger


@pytest.fixture
def on_way(ledger: Ledger, tmp_path: Path) -> Iterator[Way]:
    """A spool and a loader that lead into it."""
    with way(tmp_path, ledger) as made:
        yield made
