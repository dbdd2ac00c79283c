"""A ledger of its own for each test, in the engine that all tests share."""

from __future__ import annotations

import pytest

from farthing.collector.store.ledger import Ledger


@pytest.fixture
def ledger(empty_ledger: Ledger) -> Ledger:
    """An empty ledger with the packaged prices."""
    return empty_ledger
