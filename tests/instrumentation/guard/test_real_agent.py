"""The guard around OpenAI's SDK, in a process of its own, against a bill."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from farthing.collector.demo.providers import Bill, Providers, serving
from farthing.economics.prices import Call, load_catalogue, price
from farthing.instrumentation.guard.wording import BUDGET_MESSAGE
from tests.instrumentation.sink import Sink, instrumented, sink

AGENT = str(Path(__file__).with_name("real_agent.py"))


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def collector() -> Iterator[Sink]:
    with sink() as found:
        yield found


def billed_usd(bill: Bill) -> list[Decimal]:
    """What each request cost, by the price book."""
    costs = []
    for item in bill.items:
        call = Call(
            provider=item.provider,
            at=datetime.now(UTC),
            buckets=item.buckets,
            response_model=item.model,
        )
        cost = price(call, load_catalogue())
        costs.append(sum(cost.components_usd.values(), Decimal(0)))
    return costs


def run(
    providers: Providers, collector: Sink, *arguments: str, **environment: str
) -> list[str]:
    """How each worker of the agent ended."""
    providers.bill.clear()
    done = instrumented(
        collector.url,
        sys.executable,
        AGENT,
        *arguments,
        PROVIDERS=providers.url,
        FARTHING_TASK_TYPE="report",
        FARTHING_TASK_ID="run-1",
        **environment,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_eight_workers_never_spend_more_than_their_budget(
    providers: Providers, collector: Sink
) -> None:
    """Under a budget of half a dollar the provider's bill stays within it and one
    call's estimate error, and comes near to it."""
    ends = run(providers, collector, "8", "200", FARTHING_BUDGET_USD="0.50")
    costs = billed_usd(providers.bill)
    assert sum(costs) <= Decimal("0.50") + max(costs)
    assert sum(costs) > Decimal("0.40")
    assert len(ends) == 8
    assert all(end.startswith("BudgetExceeded: run run-1 (report)") for end in ends)
    stopped = [s for s in collector.spans if s["error.type"].endswith("BudgetExceeded")]
    assert len(stopped) == 8
    assert not any(span["gen_ai.usage.input_tokens"] for span in stopped)


def test_eight_workers_without_bounds_pass_it_by_one_call_at_most(
    providers: Providers, collector: Sink
) -> None:
    """Where no request bounds its output either; workers that would hold more than
    there is are told to set a bound, and one goes on until the budget is used."""
    words = {"FARTHING_BUDGET_USD": "0.30", "UNBOUNDED": "yes"}
    ends = run(providers, collector, "8", "200", **words)
    costs = billed_usd(providers.bill)
    assert sum(costs) <= Decimal("0.30") + max(costs)
    assert sum(costs) > Decimal("0.20")
    assert all(end.startswith("BudgetExceeded") for end in ends)
    assert sum("128,000 tokens of output are assumed" in end for end in ends) > 0


def test_without_a_guard_nothing_stops(providers: Providers, collector: Sink) -> None:
    """The same agent without a budget makes all its calls."""
    assert run(providers, collector, "2", "5") == ["done", "done"]
    assert len(providers.bill.items) == 10


def test_a_stuck_tool_is_stopped_at_its_retry_limit(
    providers: Providers, collector: Sink
) -> None:
    """Three retries fail; the call that would hand over the last result is not sent."""
    ends = run(
        providers, collector, "1", "20", "tool", FARTHING_BUDGET_TOOL_RETRIES="3"
    )
    assert len(providers.bill.items) == 4
    assert "search failed after 3 of 3 retries" in ends[0]


def test_handback_reaches_the_provider(providers: Providers, collector: Sink) -> None:
    """The last request that the provider sees asks the agent to wrap up; no other
    does."""
    ends = run(
        providers,
        collector,
        "1",
        "20",
        FARTHING_BUDGET_STEPS="3",
        FARTHING_ON_BUDGET="handback",
    )
    assert ends[0].startswith("BudgetExceeded")
    asked = [request["messages"] for request in providers.bill.requests]
    assert [len(messages) for messages in asked] == [1, 1, 1, 2]
    assert asked[-1][-1] == {"role": "user", "content": BUDGET_MESSAGE}


def test_a_warning_stops_nothing(providers: Providers, collector: Sink) -> None:
    """`warn` lets every call through and leaves an event on a span."""
    ends = run(
        providers,
        collector,
        "1",
        "6",
        FARTHING_BUDGET_STEPS="3",
        FARTHING_ON_BUDGET="warn",
    )
    assert ends == ["done"]
    assert len(providers.bill.items) == 6
