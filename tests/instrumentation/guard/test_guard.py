"""The guard at its limits, with calls that no SDK makes."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from farthing.economics.usage import TokenBuckets
from farthing.errors import BudgetExceeded
from farthing.instrumentation.calls import Ended
from farthing.instrumentation.guard.estimate import Estimator
from farthing.instrumentation.guard.notices import Notice, on_limit
from farthing.instrumentation.guard.runs import Run
from tests.instrumentation.guard.agents import Agent, agent, with_result


def spend(worker: Agent) -> int:
    """Call until the guard stops it; how many calls were sent."""
    while True:
        try:
            worker.call()
        except BudgetExceeded:
            return len(worker.sent)


def test_a_budget_in_usd_is_not_passed() -> None:
    """Calls of one cent each under ten cents: the one that might pass is not sent."""
    worker = agent({"FARTHING_BUDGET_USD": "0.10"})
    sent = spend(worker)
    assert 9 <= sent <= 10
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert len(worker.sent) == sent
    assert stop.value.limit == "usd"
    assert stop.value.allowed == Decimal("0.10")
    assert stop.value.spent_usd == Decimal("0.010") * sent
    assert stop.value.steps == sent
    assert stop.value.is_estimate is False
    assert "$0.1000" in str(stop.value)
    assert "FARTHING_BUDGET_USD" in str(stop.value)


def test_calls_that_run_side_by_side_cannot_pass_it_together() -> None:
    """Eight workers that all send before any answer is there stay under the limit."""
    worker = agent({"FARTHING_BUDGET_USD": "0.10"})
    barrier = threading.Barrier(8)

    def work(_: int) -> None:
        for _ in range(10):
            barrier.wait()
            try:
                call = worker.begin()
            except BudgetExceeded:
                barrier.wait()
                continue
            barrier.wait()
            worker.end(call)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert 8 <= len(worker.sent) <= 10


def test_what_a_call_was_not_billed_is_given_back() -> None:
    """A refused request costs nothing and is no step."""
    worker = agent({"FARTHING_BUDGET_STEPS": "1", "FARTHING_BUDGET_USD": "0.02"})
    for _ in range(5):
        worker.call(usage=None, error=ValueError("429"), is_complete=False)
    worker.call()
    with pytest.raises(BudgetExceeded):
        worker.call()


def test_what_nobody_tells_counts_as_estimated() -> None:
    """A stream that was left, or whose usage is missing, is billed all the same."""
    worker = agent({"FARTHING_BUDGET_USD": "0.10"})
    worker.call(usage=None)
    worker.call(usage=TokenBuckets(input=1), is_complete=False)
    worker.call(usage=None, error=TimeoutError(), is_complete=False)
    with pytest.raises(BudgetExceeded) as stop:
        spend_until_stopped(worker)
    assert stop.value.is_estimate is True
    assert len(worker.sent) < 12


def spend_until_stopped(worker: Agent) -> None:
    while True:
        worker.call()


def test_a_model_without_a_price_counts_by_a_pessimistic_rate(
    caplog: pytest.LogCaptureFixture, notices: list[Notice]
) -> None:
    """It is stopped early rather than late, and each place that tells says why."""
    worker = agent({"FARTHING_BUDGET_USD": "1"}, model="no-such-model")
    with pytest.raises(BudgetExceeded) as stop:
        spend_until_stopped(worker)
    assert stop.value.is_estimate is True
    assert stop.value.spent_usd == Decimal("0.09") * len(worker.sent)
    assert "pessimistic" in str(stop.value)
    assert notices[-1].is_estimate is True
    said = [
        r
        for r in caplog.records
        if "no-such-model has no price for its calls" in r.getMessage()
    ]
    assert len(said) == 1


def test_a_call_without_an_output_bound_is_told_to_set_one() -> None:
    """Where what is assumed of an answer passes the limit, the words say how to set a
    bound; they do not where one is set, or where another limit is reached."""
    worker = agent({"FARTHING_BUDGET_USD": "0.001", "FARTHING_BUDGET_STEPS": "9"})
    asked = {"messages": [{"role": "user", "content": "go"}], "max_tokens": None}
    with pytest.raises(BudgetExceeded) as stop:
        worker.call(asked)
    assert (
        "It sets no output bound, so 4,096 tokens of output are assumed: set"
        " max_completion_tokens (or max_tokens)."
    ) in str(stop.value)
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert "output bound" not in str(stop.value)
    worker = agent({"FARTHING_BUDGET_STEPS": "1"})
    worker.call(asked)
    with pytest.raises(BudgetExceeded) as stop:
        worker.call(asked)
    assert "output bound" not in str(stop.value)


def test_steps_are_counted() -> None:
    """The call after the last one that is allowed is not sent."""
    worker = agent({"FARTHING_BUDGET_STEPS": "3"})
    assert spend(worker) == 3
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert (stop.value.limit, int(stop.value.used)) == ("steps", 3)
    assert stop.value.spent_usd == Decimal("0.030")


def test_a_guess_at_money_makes_no_count_uncertain() -> None:
    """Of a model without a price as many calls are counted as of any other."""
    worker = agent({"FARTHING_BUDGET_STEPS": "1"}, model="no-such-model")
    worker.call()
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert "1 of 1 model calls." in str(stop.value)
    assert stop.value.is_estimate is True


def test_a_step_that_grew_too_large_is_the_last() -> None:
    """After a call with more tokens than a step may have, none is sent."""
    worker = agent({"FARTHING_BUDGET_STEP_TOKENS": "5_000"})
    worker.call()
    worker.call(usage=TokenBuckets(input=3_000, cache_read=1_999, output=1))
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert (stop.value.limit, int(stop.value.used)) == ("step_tokens", 5_000)


def test_a_stuck_tool_is_stopped_at_its_retry_limit() -> None:
    """The first failure is none of the retries; arguments may vary; errors may be told
    in words alone; a request that is sent again counts once."""
    worker = agent({"FARTHING_BUDGET_TOOL_RETRIES": "2"})
    for number in range(2):
        worker.call(with_result("Error: no such page", number=number))
        worker.call(with_result("Error: no such page", number=number))
    with pytest.raises(BudgetExceeded) as stop:
        worker.call(with_result("Error: no such page", number=2))
    assert stop.value.limit == "tool_retries"
    assert "search" in str(stop.value)
    assert len(worker.sent) == 4


def test_a_tool_that_works_again_may_fail_again(notices: list[Notice]) -> None:
    """Success ends a row of failures, and a new row is told anew."""
    worker = agent({"FARTHING_BUDGET_TOOL_RETRIES": "2", "FARTHING_ON_BUDGET": "warn"})
    texts = ["Error: a", "Error: b", "Error: c", "found it", *["Error: d"] * 3]
    for number, text in enumerate(texts):
        worker.call(with_result(text, number=number))
    assert [notice.what for notice in notices] == ["reached", "reached"]


def test_a_warning_is_given_once_and_every_call_is_sent(notices: list[Notice]) -> None:
    """`warn`: near once, reached once per limit and run, and no call is held back."""
    worker = agent({"FARTHING_BUDGET_STEPS": "10", "FARTHING_ON_BUDGET": "warn"})
    for _ in range(20):
        worker.call()
    assert len(worker.sent) == 20
    assert [(notice.what, int(notice.used)) for notice in notices] == [
        ("near", 8),
        ("reached", 10),
    ]
    assert {notice.action for notice in notices} == {"warn"}


def test_handback_lets_the_agent_wrap_up_once(notices: list[Notice]) -> None:
    """The first call at the limit has a message to wrap up; the next is not sent."""
    worker = agent({"FARTHING_BUDGET_STEPS": "2", "FARTHING_ON_BUDGET": "handback"})
    held = [{"role": "user", "content": "go on"}]
    for _ in range(3):
        worker.call({"messages": held})
    with pytest.raises(BudgetExceeded):
        worker.call({"messages": held})
    told = [request["messages"] for request in worker.sent]
    assert [len(messages) for messages in told] == [1, 1, 2]
    assert "Wrap up" in told[-1][-1]["content"]
    assert held == [{"role": "user", "content": "go on"}]
    assert [notice.what for notice in notices] == ["near", "reached"]


def test_only_one_of_many_workers_gets_the_last_call() -> None:
    """`handback` in a run with parallel workers: one wraps up, the others stop."""
    worker = agent({"FARTHING_BUDGET_STEPS": "1", "FARTHING_ON_BUDGET": "handback"})
    worker.call()
    barrier = threading.Barrier(8)

    def work(_: int) -> bool:
        barrier.wait()
        try:
            worker.call()
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1


def test_each_run_has_a_budget_of_its_own_and_can_be_reset() -> None:
    """Runs are told apart by the task's id; sub-agents of one share it."""
    current = Run("a")
    worker = agent({"FARTHING_BUDGET_STEPS": "2"}, run=lambda: current)
    spend(worker)
    current = Run("b", "another type")
    worker.call()
    current = Run("a", "a sub-task of another type")
    with pytest.raises(BudgetExceeded) as stop:
        worker.call()
    assert stop.value.run_id == "a"
    guard: Any = worker.observers[1]
    guard.reset("a")
    worker.call()


def test_a_listener_that_fails_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """What a callback raises is logged, and the next one is called."""
    told: list[Notice] = []

    def fails(_: Notice) -> None:
        raise RuntimeError("mine")

    ends = [on_limit(fails), on_limit(told.append)]
    worker = agent({"FARTHING_BUDGET_STEPS": "1", "FARTHING_ON_BUDGET": "warn"})
    worker.call()
    worker.call()
    for end in ends:
        end()
        end()
    assert [notice.what for notice in told] == ["near", "reached"]
    assert "a listener of on_limit failed" in caplog.text


def test_a_call_that_cannot_be_estimated_counts_as_a_dear_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Our own failure neither reaches the agent nor lets it spend without limit."""
    worker = agent({"FARTHING_BUDGET_USD": "20"})
    guard: Any = worker.observers[1]

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(guard._estimator, "before", fails)
    monkeypatch.setattr(guard._estimator, "after", fails)
    assert spend(worker) == 2
    assert caplog.text.count("RuntimeError: ours") == 1


def test_a_price_file_that_is_wrong_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The packaged prices hold, and one line says what is wrong with the file."""
    file = tmp_path / "prices.json"
    file.write_text('{"princes": []}')
    worker = agent({"FARTHING_BUDGET_USD": "0.10"})
    guard: Any = worker.observers[1]
    guard._estimator = Estimator(file)
    assert 9 <= spend(worker) <= 10
    assert caplog.text.count("your prices are left out") == 1
    assert "princes" in caplog.text


async def test_tasks_of_one_loop_share_a_budget() -> None:
    """Asyncio's tasks cannot pass a limit together either."""
    worker = agent({"FARTHING_BUDGET_USD": "0.10"})

    async def work() -> None:
        while True:
            try:
                call = worker.begin()
            except BudgetExceeded:
                return
            await asyncio.sleep(0)
            worker.end(call)

    await asyncio.gather(*(work() for _ in range(8)))
    assert 9 <= len(worker.sent) <= 10


def test_without_a_limit_nothing_is_watched() -> None:
    """A guard without settings leaves calls alone."""
    worker = agent({})
    call = worker.begin()
    assert "guard" not in call.state
    worker.end(call, Ended(error=ValueError("x")))


def test_a_notice_is_an_event_on_the_current_span() -> None:
    """Whoever looks at the trace sees where a limit was near, and where reached."""
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    worker = agent({"FARTHING_BUDGET_USD": "0.10", "FARTHING_ON_BUDGET": "warn"})
    with provider.get_tracer("tests").start_as_current_span("agent"):
        for _ in range(12):
            worker.call()
    [span] = exported.get_finished_spans()
    assert [event.name for event in span.events] == [
        "farthing.limit.near",
        "farthing.limit.reached",
    ]
    told = dict(span.events[1].attributes or {})
    assert told["farthing.limit.name"] == "usd"
    assert told["farthing.limit.allowed"] == "0.100000000000000"
    assert told["farthing.limit.action"] == "warn"


def test_a_priced_model_is_not_called_unpriced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A model that bills no cache writes has a price all the same."""
    worker = agent({"FARTHING_BUDGET_USD": "1"}, model="gemini-2.5-flash")
    worker.provider, worker.library = "gemini", "google_genai"
    worker.call()
    assert caplog.text == ""


def test_a_model_that_is_asked_without_a_bound_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, with what to set: its answers may be longer than was assumed."""
    worker = agent({"FARTHING_BUDGET_USD": "1"})
    worker.call({"messages": [], "max_tokens": 10})
    assert caplog.text == ""
    for _ in range(2):
        worker.call({"messages": [], "max_tokens": None})
    [told] = caplog.messages
    assert "openai/gpt-4.1" in told
    assert "set max_completion_tokens" in told


def test_a_budget_holds_where_the_tools_cannot_be_read() -> None:
    """What we cannot make sense of in a request switches no limit on money off."""
    worker = agent({"FARTHING_BUDGET_USD": "0.10", "FARTHING_ON_LOOP": "stop"})
    worker.observers = worker.observers[1:]  # the fingerprints' own failure is theirs
    unreadable = {"messages": [{"role": "tool", "content": _Unreadable()}] * 2}
    for _ in range(10):
        worker.call(unreadable)
    with pytest.raises(BudgetExceeded):
        worker.call(unreadable)


class _Unreadable(dict[str, Any]):
    """A part of a message that fails in whoever looks at it."""

    def get(self, *_: object) -> Any:
        raise RuntimeError("unreadable")

    __getitem__ = get
