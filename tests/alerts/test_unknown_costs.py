"""What is not known is not zero, and nothing that is known is called a lower bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from farthing.alerts.budgets import Budget
from farthing.alerts.file import AlertFile
from farthing.alerts.message import Fact, message_of
from farthing.alerts.policy import Policy
from farthing.alerts.spent import used
from farthing.collector.store.client import Store
from tests.alerts.delivery.notices import notice
from tests.alerts.ledger import NOW, Watch, add, call

MINUTE = timedelta(minutes=1)
DAILY = Budget(name="daily", of="team", window="day", limit_usd=Decimal(1))
_CALLS = (
    *("run_id", "trace_id", "span_id", "time", "kind", "calls", "cost_usd"),
    *("cost_state", "ingested_at", "input_tokens", "entry"),
)


def a_call(
    tokens: int, usd: str | None, span_id: str, *, sign: int = 1
) -> list[object]:
    """A model call of one run, or what takes it back."""
    time = f"{NOW - MINUTE:%Y-%m-%d %H:%M:%S}"
    cost = None if usd is None else Decimal(usd) * sign
    state = "unpriced" if usd is None else "priced"
    money = [sign, cost, state, time, sign * tokens]
    entry = "span" if sign > 0 else "correction"
    return ["r1", "t1", span_id, time, "model_call", *money, entry]


def test_a_call_of_which_a_part_has_no_price(ledger: Store, file: AlertFile) -> None:
    """Makes a lower bound of what is spent of a budget, as one without any price."""
    row = call("r", "2", ago=MINUTE)
    row[row.index("priced")] = "partial"
    add(ledger, [row])
    [fired] = Watch(ledger, file, budgets=(DAILY,)).look("budget")
    assert fired.lower_bound
    assert "has spent at least $2.00" in fired.title
    assert "Calls without a known cost: 1." in fired.summary
    [line] = used(ledger.rows, [DAILY], now=NOW)
    assert (line.lower_bound, line.unpriced_calls) == (True, 0)


def test_where_everything_has_a_price_nothing_is_said_of_prices(
    ledger: Store, file: AlertFile
) -> None:
    """A message is no longer than it must be."""
    add(ledger, [call("r", "2", ago=MINUTE)])
    [fired] = Watch(ledger, file, budgets=(DAILY,)).look("budget")
    assert "known cost" not in fired.summary


def test_a_kind_without_a_median_has_none(ledger: Store, file: AlertFile) -> None:
    """By the limit for new kinds a run is told of without numbers that nobody knows."""
    add(ledger, [call("new", "50", ago=MINUTE)])
    policy = Policy(rules={"run-cost": {"parameters": {"cold_start_usd": 40}}})
    [fired] = Watch(ledger, file, policy=policy).look("run-cost")
    assert fired.title == "review run new has cost $50.00, above its limit"
    assert fired.summary.startswith(
        "Too few review runs have finished to tell their median: unknown;"
    )


def test_a_large_call_of_unknown_cost(ledger: Store, file: AlertFile) -> None:
    """Has not cost nothing; its tokens are known."""
    ledger.insert("spans", _CALLS, [a_call(500_000, None, "s1")])
    [fired] = Watch(ledger, file).look("step-tokens")
    assert "have cost at least $0.00" in fired.summary
    assert (int(fired.value), fired.lower_bound) == (500_000, True)


def test_a_large_call_that_was_counted_twice(ledger: Store, file: AlertFile) -> None:
    """Is taken back with the correction."""
    calls = [a_call(500_000, "9", "s1"), a_call(1_000, "1", "s2")]
    ledger.insert("spans", _CALLS, calls)
    watch = Watch(ledger, file)
    assert [i.phase for i in watch.look("step-tokens")] == ["firing"]
    ledger.insert("spans", _CALLS, [a_call(500_000, "9", "s1", sign=-1)])
    [ended] = watch.look("step-tokens")
    assert (ended.why_resolved, int(ended.value)) == ("cleared", 1_000)


def test_of_what_is_not_money_nothing_is_a_lower_bound() -> None:
    """Seventeen runs are seventeen, whatever their calls cost."""
    told = notice()
    alert = replace(
        told.alert, unit="count", value=Decimal(17), threshold=Decimal(0),
        lower_bound=True, cost_usd=Decimal(3), burn_usd_per_hour=Decimal(2),
    )  # fmt: skip
    facts = message_of(replace(told, alert=alert)).facts
    assert Fact("Value", "17") in facts
    assert Fact("Cost so far", "≥ $3.00") in facts
    assert Fact("Burns", "≥ $2.00 per hour") in facts
