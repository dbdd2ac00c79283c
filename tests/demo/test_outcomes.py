"""What the runs of the demo achieve."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from farthing import semconv
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID

NOW = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)


def test_most_runs_of_some_kinds_achieve_something() -> None:
    """Code reviews, tickets and invoices tell what came of them, once a run; not all
    come to something, and what loops comes to nothing."""
    spans = [
        {each.key: each.value.string_value for each in span.attributes}
        for request in fleet(NOW)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    kinds = {span[semconv.TASK_ID]: span[semconv.TASK_TYPE] for span in spans}
    told = [span for span in spans if semconv.OUTCOME_NAME in span]
    achieved = Counter(span[semconv.OUTCOME_NAME] for span in told)
    reviews = Counter(kinds.values())["code-review"]
    assert set(achieved) == {"pr_merged", "ticket_resolved", "invoice_posted"}
    assert reviews / 2 < achieved["pr_merged"] < reviews
    of_runs = {span[semconv.TASK_ID] for span in told}
    assert len(of_runs) == len(told)
    assert LOOP_RUN_ID not in of_runs
