"""Budgets: what is held, spent and left, whatever the order of things."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from farthing.economics.budgets import (
    Account,
    Estimate,
    Kind,
    Outcome,
    Refused,
    RunLimits,
    Taken,
    cancel_all,
    settle_all,
    take_all,
)

USD = 10**15
amounts = st.integers(0, 30)


class Interleaving(RuleBasedStateMachine):
    """Calls begin, end and are given up in any order, under a limit of money and steps.

    `spent` and `open` are kept here as a second opinion.
    """

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.limit, self.steps = 100, 12
        self.account = Account(RunLimits(femto_usd=self.limit, steps=self.steps))
        self.open: dict[Taken, int] = {}
        self.spent = self.over = self.sent = 0

    @rule(target=calls, estimate=amounts)
    def begin(self, estimate: int) -> Taken | None:
        taken = self.account.take(Estimate(estimate))
        used = self.spent + sum(self.open.values())
        if isinstance(taken, Refused):
            over = used >= self.limit or used + estimate > self.limit
            assert over or self.sent >= self.steps
            return None
        assert used + estimate <= self.limit
        assert self.sent < self.steps
        self.open[taken] = estimate
        self.sent += 1
        return taken

    @rule(taken=consumes(calls), actual=amounts)
    def end(self, taken: Taken | None, actual: int) -> None:
        if taken is None:
            return
        self.account.settle(taken, Outcome(actual, tokens=actual))
        estimate = self.open.pop(taken)
        self.spent += actual
        self.over += max(actual - estimate, 0)
        self.account.settle(taken, Outcome(actual))
        self.account.cancel(taken)

    @rule(taken=consumes(calls))
    def give_up(self, taken: Taken | None) -> None:
        if taken is None:
            return
        self.account.cancel(taken)
        del self.open[taken]
        self.sent -= 1
        self.account.settle(taken, Outcome(1))

    @invariant()
    def is_as_counted(self) -> None:
        found = self.account.spent()
        assert found.femto_usd == self.spent
        assert found.held_femto_usd == sum(self.open.values())
        assert found.steps == self.sent

    @invariant()
    def is_within_the_limit_but_for_estimates(self) -> None:
        """Never more than the limit and what calls cost beyond their own estimates."""
        assert self.spent <= self.limit + self.over
        assert self.spent + sum(self.open.values()) <= self.limit + self.over


TestInterleaving = Interleaving.TestCase


def test_threads_cannot_pass_a_limit_together() -> None:
    """Of many calls at the same instant, as many are let through as there is room."""
    account = Account(RunLimits(femto_usd=100))
    barrier = threading.Barrier(16)

    def work() -> int:
        barrier.wait()
        taken = [account.take(Estimate(3)) for _ in range(10)]
        held = [call for call in taken if isinstance(call, Taken)]
        for call in held:
            account.settle(call, Outcome(3))
        return len(held)

    with ThreadPoolExecutor(16) as pool:
        sent = sum(pool.map(lambda _: work(), range(16)))
    assert sent == 33
    assert account.spent().femto_usd == 99


def test_a_refusal_says_which_limit_and_by_how_much() -> None:
    """The reading names the limit, what is used, what is held and what was asked."""
    account = Account(RunLimits(femto_usd=100, steps=9))
    assert isinstance(account.take(Estimate(60)), Taken)
    refused = account.take(Estimate(50))
    assert isinstance(refused, Refused)
    [reading] = refused.readings
    assert (reading.kind, reading.limit) == (Kind.USD, 100)
    assert (reading.used, reading.held, reading.asked) == (60, 60, 50)


def test_a_call_can_be_let_through_anyway() -> None:
    """Who only warns, or lets an agent wrap up, still has every call counted."""
    account = Account(RunLimits(steps=1))
    account.take(Estimate())
    assert isinstance(account.take(Estimate()), Refused)
    assert isinstance(account.take(Estimate(), anyway=True), Taken)
    assert account.spent().steps == 2


def test_a_tool_may_be_retried_as_often_as_the_limit_says() -> None:
    """The first failure is no retry; a success in between starts anew; tools are
    counted apart."""
    account = Account(RunLimits(tool_retries=2))
    for name in ("search", "read", "search"):
        account.tool_ended(name, failed=True)
    assert isinstance(account.take(Estimate()), Taken)
    account.tool_ended("search", failed=False)
    for _ in range(2):
        account.tool_ended("search", failed=True)
        assert isinstance(account.take(Estimate()), Taken)
    account.tool_ended("search", failed=True)
    refused = account.take(Estimate())
    assert isinstance(refused, Refused)
    [reading] = refused.readings
    assert (reading.kind, reading.name, reading.used) == (
        Kind.TOOL_RETRIES,
        "search",
        2,
    )


def test_the_largest_step_counts() -> None:
    """A call that used too many tokens is the run's last."""
    account = Account(RunLimits(step_tokens=1_000))
    for tokens in (400, 1_000, 10):
        taken = account.take(Estimate())
        assert isinstance(taken, Taken)
        account.settle(taken, Outcome(0, tokens=tokens))
        if tokens == 1_000:
            break
    assert isinstance(account.take(Estimate()), Refused)


def test_near_is_before_reached() -> None:
    """From four fifths of a limit on, a run is near it."""
    account = Account(RunLimits(steps=10))
    near = []
    for _ in range(9):
        account.take(Estimate())
        near.append(account.readings()[0].is_near)
    assert near == [False] * 7 + [True] * 2


def test_several_accounts_are_taken_from_together_or_not_at_all() -> None:
    """A call that one account refuses holds nothing in the others."""
    run, team = Account(RunLimits(femto_usd=100)), Account(RunLimits(femto_usd=10))
    assert isinstance(take_all((run, team), [Estimate(2), Estimate(20)]), Refused)
    assert run.spent().held_femto_usd == run.spent().steps == 0
    held = take_all((run, team), [Estimate(6)] * 2)
    assert isinstance(held, list)
    settle_all((run, team), held, Outcome(5))
    assert run.spent().femto_usd == team.spent().femto_usd == 5
    held = take_all((run, team), [Estimate(1)] * 2)
    assert isinstance(held, list)
    cancel_all((run, team), held)
    assert run.spent().held_femto_usd == team.spent().held_femto_usd == 0
    team.set_limits(RunLimits(femto_usd=5))
    assert isinstance(take_all((run, team), [Estimate(0)] * 2), Refused)


@pytest.mark.parametrize("wrong", [-1, -USD])
def test_money_is_never_negative(wrong: int) -> None:
    """An estimate or a cost below zero is a mistake of the caller's."""
    account = Account(RunLimits())
    with pytest.raises(ValueError, match="not negative"):
        account.take(Estimate(wrong))
    taken = account.take(Estimate(1))
    assert isinstance(taken, Taken)
    with pytest.raises(ValueError, match="not negative"):
        account.settle(taken, Outcome(wrong))
    assert not RunLimits()
