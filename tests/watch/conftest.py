"""A ledger that is settled and watched after each load, in a database of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.settle import Settler
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.watcher import Watcher
from farthing.economics.prices import load_catalogue
from tests.watch.spans import Told, request

TABLES = ("spans", "runs", "spend_hourly", "tellings", "findings")
_batches = count()


@dataclass
class Watched:
    """A ledger and who watches it; empty at the start of each test."""

    store: Store
    ledger: Ledger
    settler: Settler
    watcher: Watcher
    registry: CollectorRegistry

    def load(self, spans: Iterable[Told], *, watch: bool = True) -> str:
        """Load spans as one batch and follow it up; returns its name."""
        name = f"watched {next(_batches)}"
        self.ledger.load(name, [request(spans)])
        self.settler(name)
        if watch:
            self.watcher(name)
        return name

    def restart(self) -> None:
        """Another collector takes over; what the first kept in memory is gone."""
        self.registry = CollectorRegistry()
        self.watcher = Watcher(self.store, registry=self.registry)

    def findings(self, columns: str = "* EXCEPT (version, written_at)") -> list[dict]:
        return self.store.rows(
            f"SELECT {columns} FROM findings FINAL WHERE level != 'withdrawn'"
            " ORDER BY run_id, agent, kind, episode"
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def clear(self) -> None:
        for table in TABLES:
            self.store.command(f"TRUNCATE TABLE {table}")
        self.restart()


@pytest.fixture(scope="session")
def watched_ledger(engine_folder: Path, ledger_store: Store) -> Iterator[Watched]:
    """The ledger of all these tests; ask for `watched`."""
    store = Store(Address(path=engine_folder, database="watched"))
    catalogue = load_catalogue()
    ledger = Ledger(store, catalogue)
    ledger.open(retention_days=None)
    registry: Any = CollectorRegistry()
    watcher = Watcher(store, registry=registry)
    yield Watched(store, ledger, Settler(store, catalogue), watcher, registry)
    store.close()


@pytest.fixture
def watched(watched_ledger: Watched) -> Watched:
    """The ledger, empty."""
    watched_ledger.clear()
    return watched_ledger
