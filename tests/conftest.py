"""What all tests share: the embedded engine, as chdb opens one folder per process, and
how Hypothesis tries examples."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.demo_week import demo_store, empty_store
from tests.emptied import empty

__all__ = ["demo_store", "empty_store"]

# Collectors that tests start are waited for: they load sooner than by default.
os.environ.setdefault("FARTHING_LOAD_AT_AGE_S", "0.4")

# How fast a busy machine is says nothing about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded engine of this process keeps its data."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def ledger_store(engine_folder: Path) -> Iterator[Store]:
    """The store of the ledger that all tests add to and none may count on as empty."""
    store = Store(Address(path=engine_folder))
    store.create_database()
    yield store
    store.close()


@pytest.fixture(scope="session")
def shared_ledger(ledger_store: Store) -> Ledger:
    """The ledger in it, open, with the packaged prices, keeping what is old."""
    ledger = Ledger(ledger_store, load_catalogue())
    ledger.open(retention_days=36_500)
    return ledger


@pytest.fixture(scope="session")
def spare_ledger(engine_folder: Path, ledger_store: Store) -> Iterator[Ledger]:
    """What `empty_ledger` empties for each test."""
    store = Store(Address(path=engine_folder, database="spare"))
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=None)
    yield ledger
    store.close()


@pytest.fixture
def empty_ledger(spare_ledger: Ledger) -> Ledger:
    """An open ledger that a test has to itself, without an entry and with the packaged
    prices. Tests take turns with it, as making one takes a second of CPU: who changes
    its tables takes `new_store`."""
    empty(spare_ledger)
    return spare_ledger


@pytest.fixture
def new_store(engine_folder: Path, ledger_store: Store) -> Iterator[Store]:
    """A store of its own in the same engine: a database that is not made yet."""
    database = f"d{secrets.token_hex(4)}"
    store = Store(Address(path=engine_folder, database=database))
    yield store
    ledger_store.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    store.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--matrix` runs what needs the environments of `make test-matrix`; `--pictures`
    writes the pictures of the documentation anew, which else go to build/."""
    parser.addoption("--matrix", action="store_true", help="SDKs in build/matrix")
    parser.addoption("--pictures", action="store_true", help="write docs/images")
