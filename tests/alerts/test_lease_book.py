"""Leases of a shared budget: whatever the order of things, nobody overruns it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from farthing.alerts.lease_book import LeaseAccount
from farthing.economics.budgets import Account, Outcome, RunLimits, Taken
from farthing.economics.budgets import Estimate as Estimated
from farthing.economics.leases import Use

LIMIT = 100
names = st.sampled_from("abc")
amounts = st.integers(1, 12)


@dataclass
class Process:
    """A process as its guard keeps it: what it may use, and the calls under way."""

    account: Account = field(default_factory=lambda: Account(RunLimits(femto_usd=0)))
    calls: list[Taken] = field(default_factory=list)

    def use(self, *, asked: int, wanted: int) -> Use:
        spent = self.account.spent()
        granted = self.account.limits.femto_usd or 0
        return Use(spent.femto_usd, spent.held_femto_usd, granted, asked, wanted)


class Sharing(RuleBasedStateMachine):
    """Processes ask, call, settle and report in any order, while the ledger is late by
    any number of calls and one reading may hold several.

    `spent` and `seen` are kept here as a second opinion.
    """

    def __init__(self) -> None:
        super().__init__()
        self.book = LeaseAccount(LIMIT, in_ledger=0)
        self.processes = {name: Process() for name in "abc"}
        self.now_s = 0.0
        self.spent, self.late = 0, list[int]()

    @rule(name=names, asked=amounts, wanted=st.integers(0, 30))
    def report(self, name: str, asked: int, wanted: int) -> None:
        process = self.processes[name]
        use = process.use(asked=asked, wanted=wanted)
        granted = self.book.report(name, use, now_s=self.now_s)
        assert granted.total >= use.granted
        process.account.set_limits(RunLimits(femto_usd=granted.total))

    @rule(name=names, estimate=amounts)
    def call(self, name: str, estimate: int) -> None:
        process = self.processes[name]
        taken = process.account.take(Estimated(estimate))
        if isinstance(taken, Taken):
            process.calls.append(taken)

    @rule(name=names, less=st.integers(0, 3))
    def settle(self, name: str, less: int) -> None:
        """Calls cost what was estimated, or less. The guard reports before the ledger
        can know."""
        process = self.processes[name]
        if process.calls:
            taken = process.calls.pop()
            cost = max(0, taken.femto_usd - less)
            process.account.settle(taken, Outcome(cost))
            self.report(name, 1, 0)
            self.spent += cost
            self.late.append(cost)

    @rule(count=st.integers(0, 5))
    def load(self, count: int) -> None:
        self.now_s += 0.5
        loaded, self.late = self.late[:count], self.late[count:]
        seen = (self.book.in_ledger or 0) + sum(loaded)
        self.book.counted(seen)
        self.book.forget(now_s=self.now_s)
        self.book.release(now_s=self.now_s)
        for name in "abc":  # nobody is silent for long
            self.report(name, 1, 0)

    @invariant()
    def nobody_overruns(self) -> None:
        held = sum(p.account.spent().held_femto_usd for p in self.processes.values())
        assert self.spent + held <= LIMIT


TestSharing = Sharing.TestCase


def granted(book: LeaseAccount, process: str, **use: int) -> int:
    return book.report(process, Use(**use), now_s=0.0).total


def test_what_the_ledger_counts_counts_once() -> None:
    """What a guard told of is not counted again when its spans are in the ledger, and
    what others spent, whom no guard holds, is."""
    book = LeaseAccount(LIMIT, in_ledger=10)
    granted(book, "a")
    granted(book, "a", spent=20, granted=20)
    assert book.spent == 30
    book.counted(25)
    assert book.spent == 30
    book.counted(37)
    assert book.spent == 37


def test_an_estimate_that_was_too_high_is_forgotten() -> None:
    """After a while the ledger knows better than what a guard told; later where what
    waits for the ledger is old."""
    book = LeaseAccount(LIMIT, in_ledger=0)
    granted(book, "a")
    granted(book, "a", spent=50, granted=50)
    book.counted(30)
    book.forget(now_s=10.0)
    assert book.spent == 50
    book.forget(now_s=20.0, lag_s=10.0)
    assert book.spent == 50
    assert not book.is_idle
    book.forget(now_s=20.0)
    book.release(now_s=20.0)
    assert book.spent == 30
    assert book.is_idle


def test_an_hour_without_the_ledger_takes_no_more_memory_than_a_minute() -> None:
    """What guards tell meanwhile is kept to the cent and not forgotten before its time,
    which is when the ledger has loaded what waited for it."""
    book = LeaseAccount(10**9, in_ledger=0)
    for n in range(36_000):
        book.report("a", Use(spent=n, granted=n), now_s=n / 10)
    assert book.spent == 35_999
    assert len(book._settled) < 100  # memory is the claim
    book.counted(0)
    book.forget(now_s=3_600.0, lag_s=3_600.0)
    assert book.spent == 35_999
    book.counted(30_000)
    book.forget(now_s=3_600.0, lag_s=60.0)
    assert book.spent == 35_999
    book.forget(now_s=3_620.0)
    assert book.spent == 30_000


def test_a_lease_of_a_process_that_is_gone_is_given_to_others() -> None:
    """What nobody will use is not lost."""
    book = LeaseAccount(LIMIT, in_ledger=0)
    assert granted(book, "a", asked=80) == 80
    assert granted(book, "b", asked=80) == 20
    book.release(now_s=60.0)
    assert granted(book, "c", asked=80) == 80


def test_a_collector_that_begins_anew_takes_the_guards_at_their_word() -> None:
    """What was granted before stays granted, and what was spent before is in the
    ledger."""
    book = LeaseAccount(LIMIT, in_ledger=40)
    assert granted(book, "a", spent=40, granted=60) == 60
    assert book.spent == 40
    assert granted(book, "b", asked=60) == 40


@pytest.mark.parametrize(("in_ledger", "is_refused"), [(90, False), (91, True)])
def test_what_is_leased_to_others_is_waited_for(
    in_ledger: int, *, is_refused: bool
) -> None:
    """Room that others have in hand may come free; what is spent or held does not."""
    book = LeaseAccount(LIMIT, in_ledger=60)
    granted(book, "idle", wanted=20)
    book.counted(in_ledger)
    answer = book.report("a", Use(asked=10), now_s=0.0)
    assert answer.total < 10
    assert answer.is_refused is is_refused
