"""A stand-in for the providers, a receiver, and a ledger that is settled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farthing.collector.demo.providers import Providers, serving
from farthing.collector.settle import Settler
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.receive.running import Running
from tests.receive.running import running as running_receiver
from tests.sdks.running import Runner
from tests.settle.conftest import Book


@pytest.fixture(scope="session")
def providers() -> Iterator[Providers]:
    """Every provider's API on loopback."""
    with serving() as found:
        yield found


@pytest.fixture(scope="session")
def otlp() -> Iterator[Running]:
    """The receiver, which keeps what it is sent."""
    with running_receiver() as found:
        yield found


@pytest.fixture(scope="session")
def sdk_book(spare_ledger: Ledger) -> Book:
    """The ledger of these tests."""
    store, catalogue = spare_ledger.store, load_catalogue()
    return Book(store, spare_ledger, Settler(store, catalogue), catalogue)


@pytest.fixture(scope="session")
def runner(providers: Providers, otlp: Running, sdk_book: Book) -> Runner:
    """Runs agents."""
    return Runner(providers, otlp, sdk_book)
