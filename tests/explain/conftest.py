"""A ledger of its own for each test, in the engine that all tests share."""

from __future__ import annotations

import pytest

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue


@pytest.fixture
def ledger(new_store: Store) -> Ledger:
    """An empty ledger with the packaged prices."""
    made = Ledger(new_store, load_catalogue())
    made.open(retention_days=36_500)
    return made
