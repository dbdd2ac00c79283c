"""A ledger that is settled and watched after each load, which tests take turns with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from farthing.collector.settle import Settler
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.watcher import Watcher
from farthing.economics.prices import load_catalogue
from tests.emptied import empty
from tests.watch.spans import Told, request

_batches = count()


@dataclass
class Watched:
    """A ledger and who watches it; empty at the start of each test."""

    store: Store
    ledger: Ledger
    settler: Settler
    watcher: Watcher
    registry: CollectorRegistry

    def load(
        self,
        spans: Iterable[Told],
        *,
        watch: bool = True,
        named_before: timedelta = timedelta(0),
    ) -> str:
        """Load spans as one batch and follow it up; returns its name."""
        named = datetime.now(UTC) - named_before
        name = f"{named:%Y%m%dT%H%M%SZ}-{next(_batches)}"
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
        empty(self.ledger)
        self.restart()


@pytest.fixture(scope="session")
def watched_ledger(spare_ledger: Ledger) -> Watched:
    """The ledger of all these tests; ask for `watched`."""
    store = spare_ledger.store
    registry: Any = CollectorRegistry()
    watcher = Watcher(store, registry=registry)
    settler = Settler(store, load_catalogue())
    return Watched(store, spare_ledger, settler, watcher, registry)


@pytest.fixture
def watched(watched_ledger: Watched) -> Watched:
    """The ledger, empty."""
    watched_ledger.clear()
    return watched_ledger
