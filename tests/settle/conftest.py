"""A ledger that is settled after each load, which tests take turns with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from farthing.collector.settle import Settler
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Catalogue, load_catalogue
from tests.emptied import empty
from tests.settle.spans import Told, request

MEASURES = (
    "calls", "tool_calls", "errors", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "input_audio_tokens",
    "cache_audio_tokens", "output_tokens", "reasoning_tokens", "output_audio_tokens",
    "web_searches", "cost_usd", "tool_fee_usd", "claimed_usd",
)  # fmt: skip
_batches = count()


def sums_of(alias: str) -> str:
    return ", ".join(f"sum(ifNull({alias}.{m}, 0)) AS {m}" for m in MEASURES)


@dataclass
class Book:
    """A ledger and its settler; empty at the start of each test."""

    store: Store
    ledger: Ledger
    settler: Settler
    catalogue: Catalogue

    def load(self, *spans: Told) -> str:
        """Load spans as one batch and settle it; returns its name."""
        return self.load_requests([request(spans)])

    def load_requests(self, requests: Sequence[bytes]) -> str:
        name = f"batch {next(_batches)}"
        self.ledger.load(name, requests)
        self.settler(name)
        return name

    def totals(self) -> dict[str, Any]:
        """The measures that are not zero, over all; the roll-ups agree on them."""
        found = [
            self.store.rows(f"SELECT {sums_of('t')} FROM {table} AS t")[0]
            for table in ("spans", "runs", "spend_hourly")
        ]
        assert found[0] == found[1] == found[2]
        [of_agents] = self.store.rows(
            "SELECT sum(calls) AS calls, sum(cost_usd) AS cost_usd FROM run_agents"
        )
        assert of_agents.items() <= found[0].items()
        return {name: value for name, value in found[0].items() if value}

    def by(self, *columns: str, table: str = "spans") -> list[dict[str, Any]]:
        """The measures by some columns, where any is not zero."""
        names = ", ".join(columns)
        rows = self.store.rows(
            f"SELECT {names}, {sums_of('t')} FROM {table} AS t GROUP BY {names}"
            f" ORDER BY {names}"
        )
        return [row for row in rows if any(row[m] for m in MEASURES)]

    def corrections(self) -> list[dict[str, Any]]:
        return self.store.rows(
            "SELECT reason, span_id, owner_span_id, calls + tool_calls AS sign"
            " FROM spans WHERE entry = 'correction' ORDER BY span_id, reason, sign"
        )

    def clear(self) -> None:
        empty(self.ledger)


@pytest.fixture(scope="session")
def settled(spare_ledger: Ledger) -> Book:
    """The ledger of all these tests; ask for `book`."""
    store, catalogue = spare_ledger.store, load_catalogue()
    return Book(store, spare_ledger, Settler(store, catalogue), catalogue)


@pytest.fixture
def book(settled: Book) -> Book:
    """The ledger, empty."""
    settled.clear()
    return settled
