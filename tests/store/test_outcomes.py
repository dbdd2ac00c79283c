"""What runs achieved, in the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from farthing import semconv
from farthing.collector.store.ledger import Ledger
from tests.store.otlp import Told, request

OUTCOME = {
    "gen_ai.operation.name": "outcome",
    semconv.OUTCOME_NAME: "pr_merged",
    semconv.TASK_ID: "outcomes-1",
    semconv.TASK_TYPE: "code-review",
}


def outcomes(ledger: Ledger, name: str, *told: dict[str, Any]) -> list[dict[str, Any]]:
    """What a batch of outcomes leaves in the ledger, each batch loaded twice."""
    spans = [Told(attributes, name="outcome pr_merged") for attributes in told]
    for _ in range(2):
        ledger.load(name, [request(spans)])
    return ledger.store.rows(
        "SELECT * FROM outcomes WHERE run_id = 'outcomes-1' ORDER BY span_id"
    )


def test_outcomes_are_kept_with_their_run_and_exact_value(
    shared_ledger: Ledger,
) -> None:
    """An outcome is a row of `outcomes` with the run's tags and its value to the last
    digit, once; one without a value has none, which is not zero."""
    worth = {**OUTCOME, semconv.OUTCOME_VALUE: "0.1"}
    valued, unvalued = outcomes(shared_ledger, "outcomes", worth, OUTCOME)
    assert valued["outcome"] == "pr_merged"
    assert valued["task_type"] == "code-review"
    assert valued["value"] == Decimal("0.1")
    assert unvalued["value"] is None


def test_an_outcome_is_no_call(shared_ledger: Ledger) -> None:
    """It costs nothing and counts as no call of its run."""
    outcomes(shared_ledger, "outcomes", OUTCOME)
    [run] = shared_ledger.store.rows(
        "SELECT sum(calls) AS calls, sum(unpriced_calls) AS unpriced FROM runs"
        " WHERE run_id = 'outcomes-1'"
    )
    assert run == {"calls": 0, "unpriced": 0}
