"""Agents that fork: a child has its budget, and hangs on nothing of its parent's."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from contextlib import ExitStack

from farthing.economics.budgets import Account, Estimate, Outcome, RunLimits, Taken
from farthing.errors import BudgetExceeded
from farthing.instrumentation.guard.guard import Guard
from farthing.instrumentation.watching.once import Once
from tests.instrumentation.guard.agents import Agent, agent

BUDGET = {"FARTHING_BUDGET_USD": "0.05", "FARTHING_ON_LOOP": "stop"}


def in_child(does: Callable[[], str]) -> str:
    """What `does` says in a forked child; it must not hang there."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, does().encode() or b"nothing")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as told:
        is_told, _, _ = select.select([told], [], [], 20)
        if not is_told:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert is_told, "the child hangs"
        return told.read().decode()


def calls_until_stopped(worker: Agent) -> str:
    """How many calls are sent before the guard stops them."""
    for made in range(100):
        try:
            worker.call()
        except BudgetExceeded:
            return str(made)
    return "all"


def test_a_child_hangs_on_no_lock_that_a_thread_of_its_parent_holds() -> None:
    """The thread is not in the child, and will never give it back there."""
    worker = agent(BUDGET)
    worker.call()
    guard = worker.observers[1]
    assert isinstance(guard, Guard)
    runs = guard._runs  # a thread may be in the midst of any of these
    [state] = runs._states.values()
    once = Once()
    with ExitStack() as held:
        for lock in (
            runs._lock,
            state.lock,
            state.account._lock,
            state.loops._lock,
            once._lock,
        ):
            held.enter_context(lock)
        assert in_child(lambda: str(once.is_new("a"))) == "True"
        assert in_child(lambda: calls_until_stopped(worker)) == "3"
    assert calls_until_stopped(worker) == "3"


def test_what_calls_of_the_parent_hold_is_not_held_in_a_child() -> None:
    """They end in the parent alone; what was spent before counts in both."""
    account = Account(RunLimits(femto_usd=100))
    early = account.take(Estimate(40))
    assert isinstance(early, Taken)
    account.settle(early, Outcome(40))
    under_way = account.take(Estimate(60))
    assert isinstance(under_way, Taken)

    def spent() -> str:
        account.forked()
        account.settle(under_way, Outcome(60))
        told = account.spent()
        return f"{told.femto_usd} {told.held_femto_usd}"

    assert in_child(spent) == "40 0"
    assert account.spent().held_femto_usd == 60


def test_a_call_under_way_in_the_parent_is_not_under_way_in_a_child() -> None:
    """Else each call there without a bound would be held at the longest answer."""
    worker = agent({"FARTHING_BUDGET_USD": "1"})
    unbounded = {"max_tokens": None, "messages": [{"role": "user", "content": "go"}]}
    worker.begin(unbounded)

    def calls() -> str:
        for _ in range(5):
            worker.call(unbounded)
        return "sent"

    assert in_child(calls) == "sent"
