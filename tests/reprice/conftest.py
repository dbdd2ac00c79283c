"""A ledger of its own for each test, in the engine that all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.collector.reprice import Journal
from farthing.collector.store.ledger import Ledger


@pytest.fixture
def ledger(empty_ledger: Ledger) -> Ledger:
    """An empty ledger with the packaged prices."""
    return empty_ledger


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Where batches wait on their way."""
    return Journal(tmp_path / "reprice")
