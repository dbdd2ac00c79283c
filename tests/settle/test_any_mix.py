"""Late, told twice, corrected, priced anew, in any mix: the sums always agree."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farthing.collector.reprice import Journal, reprice
from farthing.economics.prices import Catalogue, load_catalogue
from tests.reprice.books import EVER, other_book
from tests.settle.conftest import Book
from tests.settle.spans import messages, request
from tests.settle.test_any_order import ALL_AT_ONCE, BY

REQUESTS = [
    *messages("openllmetry-anthropic"),
    *messages("official-anthropic"),
    *(request([told]) for told in ALL_AT_ONCE),
]
BOOKS = (load_catalogue(), other_book(load_catalogue(), 5))
ACTIONS = st.lists(
    st.sampled_from(("load", "load", "load", "again", "new prices", "reprice")),
    min_size=4,
    max_size=6,
)


class Mix:
    """What happens to a ledger, step by step; the roll-ups are compared after each."""

    def __init__(self, book: Book, journal: Journal, rng: random.Random) -> None:
        self.book, self.journal, self.rng = book, journal, rng
        self.waiting = list(REQUESTS)
        rng.shuffle(self.waiting)
        self.loaded: list[bytes] = []
        self.books: Iterator[Catalogue] = (BOOKS[n % 2] for n in count(1))

    def load(self) -> None:
        """A few requests that have not come before."""
        some = self.waiting[: self.rng.randint(1, 6)]
        del self.waiting[: len(some)]
        self.loaded += some
        if some:
            self.book.load_requests(some)

    def again(self) -> None:
        """Some that have, in a batch of another name."""
        if self.loaded:
            self.book.load_requests(self.rng.choices(self.loaded, k=3))

    def new_prices(self) -> None:
        """Another price book for what comes."""
        catalogue = next(self.books)
        self.book.ledger.use_prices(catalogue)
        self.book.settler.use_prices(catalogue)

    def reprice(self) -> None:
        """What is there, by the book in force."""
        catalogue = self.book.ledger.catalogue
        reprice(
            self.book.store,
            catalogue,
            EVER,
            journal=self.journal,
            progress=lambda _done: None,
        )

    def finish(self) -> None:
        """All the rest, and all by Farthing's own book."""
        while self.waiting:
            self.load()
            self.book.totals()
        self.use_own()
        self.reprice()

    def use_own(self) -> None:
        self.book.ledger.use_prices(BOOKS[0])
        self.book.settler.use_prices(BOOKS[0])


@pytest.fixture(scope="session")
def at_once(settled: Book) -> object:
    """What the ledger says when all comes in one batch."""
    settled.clear()
    settled.load_requests(REQUESTS)
    return settled.by(*BY)


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_any_mix_adds_up(
    settled: Book, at_once: object, tmp_path: Path, actions: list[str], seed: int
) -> None:
    """Spans, runs and spend_hourly have equal sums after every step; and once all has
    arrived and is priced by one book, they are those of all in one batch."""
    settled.clear()
    mix = Mix(settled, Journal(tmp_path / "reprice"), random.Random(seed))
    mix.use_own()
    try:
        for action in actions:
            getattr(mix, action.replace(" ", "_"))()
            settled.totals()
        mix.finish()
    finally:
        mix.use_own()
    settled.totals()
    assert settled.by(*BY) == at_once
