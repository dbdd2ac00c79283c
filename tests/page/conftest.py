"""The page over the demo's week and over an empty ledger, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from farthing.collector.store.client import Address, Store
from farthing.collector.web.page.app import Page
from farthing.economics.prices import load_catalogue
from tests.demo_week import NOW

HTML = {"accept": "text/html"}
OTLP_URL = "http://127.0.0.1:4318"


@contextmanager
def browsing(address: Address, *, token: str | None = None) -> Iterator[TestClient]:
    """A client of a page of its own; its clock stands still at the demo's end."""
    page = Page(
        Store(address, writes=False),
        token=token,
        otlp_url=OTLP_URL,
        catalogue=load_catalogue,
        clock=NOW.timestamp,
    )
    client = TestClient(
        page.app(), base_url="http://127.0.0.1", headers=HTML, follow_redirects=False
    )
    try:
        yield client
    finally:
        client.close()
        page.close()


@pytest.fixture(scope="session")
def web(demo_store: Store) -> Iterator[TestClient]:
    """The page over the demo's week."""
    with browsing(demo_store.address) as client:
        yield client


@pytest.fixture(scope="session")
def web_of_nothing(empty_store: Store) -> Iterator[TestClient]:
    """The page over a ledger into which nothing was ever loaded."""
    with browsing(empty_store.address) as client:
        yield client
