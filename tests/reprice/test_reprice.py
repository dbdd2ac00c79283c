"""Re-pricing: today's book at each span's own time, as corrections."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from farthing.collector.reprice import Journal, Outlook, Scope, preview, reprice
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Catalogue, load_catalogue
from tests.reprice.books import EVER, calls, entries, in_force, load_calls, other_book, takes_back
from tests.store.test_pricing_equal import expected

_OF_PRICE = (
    "provider", "model", "model_match", "cost_usd", "tool_fee_usd", "cost_state",
    "cost_reason", "price_row", "catalogue", "web_searches",
)  # fmt: skip
_SAME = ("cost_state", "price_row", "cost_usd")


def _nothing(_done: int) -> None:
    return


def _seen(store: Store, book: Catalogue, scope: Scope = EVER) -> Outlook:
    return preview(store, book, scope, progress=_nothing)


def _do(
    ledger: Ledger, book: Catalogue, journal: Journal, scope: Scope = EVER
) -> Outlook:
    return reprice(ledger.store, book, scope, journal=journal, progress=_nothing)


def test_the_book_that_priced_a_call_changes_nothing(ledger: Ledger) -> None:
    """Whatever was loaded: the same book gives the same price from what is stored."""
    load_calls(ledger, "calls", calls(11, 1000))
    outlook = _seen(ledger.store, load_catalogue())
    assert outlook.changes == []
    assert outlook.looked_at > 900


@pytest.mark.parametrize("seed", [21, 22])
def test_calls_come_out_as_the_new_book_prices_them(
    ledger: Ledger, journal: Journal, seed: int
) -> None:
    """Random calls and random books: each entry in force is what `price` says, to the
    last digit, unless its state, row and cost are what they were."""
    cases = calls(seed, 1000)
    load_calls(ledger, "calls", cases)
    before = in_force(entries(ledger.store))
    book = other_book(load_catalogue(), seed)
    done = _do(ledger, book, journal)
    after = in_force(entries(ledger.store))
    assert before.keys() == after.keys()
    changed = 0
    for number, row in after.items():
        want = expected(cases[number], book)
        if all(before[number][name] == want[name] for name in _SAME):
            assert row == before[number]
            continue
        changed += 1
        found = {name: row[name] for name in _OF_PRICE}
        assert found == {name: want[name] for name in _OF_PRICE}, cases[number].told
        assert set(row["flags"]) == want["flags"], cases[number].told
    assert changed == done.calls > 200
