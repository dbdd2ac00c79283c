"""Two ledgers for the panels: one with the demo's week, one with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.settle import Settler
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.watcher import Watcher
from farthing.economics.prices import load_catalogue

NOW = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo_store(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """A ledger with the demo's week up to NOW, watched, and with two outcomes."""
    store = Store(Address(path=engine_folder, database="dashboards"))
    catalogue = load_catalogue()
    ledger = Ledger(store, catalogue)
    ledger.open(retention_days=None)
    ledger.load("demo", [request.SerializeToString() for request in fleet(NOW)])
    Settler(store, catalogue)("demo")
    Watcher(store, registry=CollectorRegistry())("demo")
    told = [[LOOP_RUN_ID, NOW.timestamp() - 60, "pr_merged", "code-review"]] * 2
    store.insert("outcomes", ["run_id", "time", "outcome", "task_type"], told)
    yield store
    store.close()


@pytest.fixture(scope="session")
def empty_store(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """A ledger into which nothing was ever loaded."""
    store = Store(Address(path=engine_folder, database="dashboards_empty"))
    Ledger(store, load_catalogue()).open(retention_days=None)
    yield store
    store.close()
