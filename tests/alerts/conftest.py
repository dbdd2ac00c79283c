"""A file for alerts, and an empty ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.alerts.file import AlertFile
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    """Where the alerts of a test are remembered."""
    made = AlertFile(tmp_path / "alerts.sqlite3")
    yield made
    made.close()


@pytest.fixture
def ledger(empty_ledger: Ledger) -> Iterator[Store]:
    """An empty ledger that the test has to itself; it may close it, too."""
    store = Store(empty_ledger.store.address)
    yield store
    store.close()
