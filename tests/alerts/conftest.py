"""A file for alerts, and an empty ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.alerts.file import AlertFile
from farthing.collector.store.client import Store
from tests.alerts.ledger import own_ledger


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    """Where the alerts of a test are remembered."""
    made = AlertFile(tmp_path / "alerts.sqlite3")
    yield made
    made.close()


@pytest.fixture
def ledger(ledger_store: Store) -> Iterator[Store]:
    """An empty ledger of the test's own."""
    with own_ledger(ledger_store, f"alerts_{secrets.token_hex(4)}") as store:
        yield store
