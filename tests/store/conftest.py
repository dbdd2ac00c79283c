"""The shared embedded ledger under short names, and a ClickHouse server beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from tests.clickhouse_server import ClickHouseServer, clickhouse_server


@pytest.fixture(scope="session")
def store(ledger_store: Store) -> Store:
    """The embedded store that all tests share."""
    return ledger_store


@pytest.fixture(scope="session")
def ledger(shared_ledger: Ledger) -> Ledger:
    """The ledger in it, opened, with the packaged prices."""
    return shared_ledger


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A server that takes what it is given, without a password."""
    folder = tmp_path_factory.mktemp("server")
    with clickhouse_server(folder, writable=True) as running:
        yield running
