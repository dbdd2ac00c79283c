"""What guards are told that is spent: what is not known is not zero."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from farthing.alerts.budgets import Budget
from farthing.alerts.spent import used, used_by_run
from farthing.collector.store.client import Store
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.guard.estimate import DEFAULT_OUTPUT, Estimator
from tests.alerts.ledger import NOW, usd
from tests.instrumentation.guard.agents import agent, ended

TEAM = Budget(name="team", of="team", window="day", limit_usd=Decimal(100))
BUCKETS: Final = (
    *("input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio"),
    *("cache_audio", "output", "reasoning", "output_audio"),
)
USAGE = TokenBuckets(**{name: 1000 * n for n, name in enumerate(BUCKETS, start=1)})
COLUMNS: Final = (
    *("run_id", "time", "kind", "team", "calls", "cost_usd", "cost_state"),
    *(
        "cost_reason",
        "ingested_at",
        "duration_us",
        *(f"{name}_tokens" for name in BUCKETS),
    ),
)


def add(
    store: Store,
    state: str,
    cost: str | None = None,
    usage: TokenBuckets = USAGE,
    *,
    reason: str = "",
) -> None:
    """A call of one run and team."""
    time = f"{NOW - timedelta(minutes=3):%Y-%m-%d %H:%M:%S.%f}"
    row = ["r1", time, "model_call", "infra", 1, cost, state, reason]
    row += [time[:19], 1_000_000]
    store.insert("spans", COLUMNS, [[*row, *(getattr(usage, b) for b in BUCKETS)]])


def told(store: Store) -> tuple[Decimal, Decimal]:
    """What is told of the team, and of its only run."""
    [line] = used(store.rows, [TEAM], now=NOW)
    return line.pessimistic_usd, used_by_run(store.rows, ["r1"])["r1"]


def of_guard(model: str) -> Decimal:
    """What a guard counts for a call with USAGE."""
    call = agent({}, model=model).begin()
    outcome = Estimator().after(call, ended(USAGE, model), 0)
    assert outcome is not None
    return Decimal(outcome.femto_usd).scaleb(-15)


def test_a_model_without_a_price_counts_as_in_a_guard(ledger: Store) -> None:
    """By its tokens, also where nothing else has a price."""
    add(ledger, "unpriced")
    assert told(ledger) == (of_guard("no-such-model"),) * 2
    add(ledger, "priced", "0.25", TokenBuckets())
    assert told(ledger) == (of_guard("no-such-model") + usd("0.25"),) * 2


def test_a_call_without_usage_counts_like_the_others(ledger: Store) -> None:
    """And where there are none like a long answer."""
    add(ledger, "no_usage", usage=TokenBuckets())
    assert told(ledger) == (DEFAULT_OUTPUT * usd("0.000075"),) * 2
    add(ledger, "priced", "0.25")
    assert told(ledger) == (usd("0.50"),) * 2


def test_a_call_whose_usage_cannot_be_believed_counts_like_the_others(
    ledger: Store,
) -> None:
    """As one without usage: it cost something, whatever it told."""
    add(ledger, "unpriced", usage=TokenBuckets(), reason="invalid_usage")
    assert told(ledger) == (DEFAULT_OUTPUT * usd("0.000075"),) * 2
    add(ledger, "priced", "0.25")
    assert told(ledger) == (usd("0.50"),) * 2


@pytest.mark.parametrize(("cost", "most"), [("0.01", None), ("99", "99")])
def test_a_call_with_a_part_that_has_no_price(
    ledger: Store, cost: str, most: str | None
) -> None:
    """Counts as if it had none at all, but never less than what is known of it."""
    add(ledger, "partial", cost)
    assert told(ledger) == (usd(most) if most else of_guard("no-such-model"),) * 2


def test_what_is_known_is_what_is_told(ledger: Store) -> None:
    """Priced and free calls have no unknown; a run that is not there spent nothing."""
    add(ledger, "priced", "0.25")
    add(ledger, "free", "0")
    assert told(ledger) == (usd("0.25"),) * 2
    assert used_by_run(ledger.rows, ["r1", "r2"]) == {"r1": usd("0.25"), "r2": 0}
