"""Two ledgers for panels and pages: one with the demo's week, one with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

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
ALERTS: Final = (
    {
        "id": "a1", "rule": "loop", "subject": "1", "state": "resolved", "version": 2,
        "severity": "warning", "title": "A loop", "run_id": LOOP_RUN_ID,
        "unit": "usd", "value": "0.50", "threshold": "0.25", "cost_usd": "1.31",
        "fired_at": NOW.timestamp() - 600, "resolved_at": NOW.timestamp() - 400,
        "why_resolved": "ended", "channels": ["slack", "pagerduty"],
    },
    {
        "id": "a2", "rule": "run-cost", "subject": "2", "state": "firing", "version": 1,
        "severity": "critical", "title": "A runaway", "lower_bound": True,
        "unit": "ratio", "value": "5.535", "threshold": "5",
        "fired_at": NOW.timestamp() - 300,
    },
)  # fmt: skip
"""One that is over and one that is open; what it cost is not known."""


@pytest.fixture(scope="session")
def demo_store(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """A ledger with the demo's week up to NOW, watched, and with two alerts."""
    store = Store(Address(path=engine_folder, database="dashboards"))
    catalogue = load_catalogue()
    ledger = Ledger(store, catalogue)
    ledger.open(retention_days=None)
    ledger.load("demo", [request.SerializeToString() for request in fleet(NOW)])
    Settler(store, catalogue)("demo")
    Watcher(store, registry=CollectorRegistry())("demo")
    for alert in ALERTS:
        store.insert("alert_instances", list(alert), [list(alert.values())])
    yield store
    store.close()


@pytest.fixture(scope="session")
def empty_store(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """A ledger into which nothing was ever loaded."""
    store = Store(Address(path=engine_folder, database="dashboards_empty"))
    Ledger(store, load_catalogue()).open(retention_days=None)
    yield store
    store.close()
