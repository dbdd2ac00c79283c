"""What an outcome costs."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, text, usd

PANEL = Panel(
    title="Cost per outcome",
    question="What does a merged change, a resolved ticket, a signed contract cost?",
    chart="table",
    note="Outcomes that agents told in the range. All runs of the kinds of task that achieve"
    " an outcome pay for it, those without one too. A kind of task with several outcomes"
    " counts for each.",
    empty="No agent told an outcome: docs/agents.md says how they do.",
    columns=(
        text("outcome"),
        count("outcomes", "achieved"),
        count("runs", "runs that achieved it"),
        count("of_runs", "of runs"),
        usd(bar=True),
        usd("per_outcome_usd", "per outcome"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    told AS (
        SELECT t.outcome AS outcome, t.task_type AS task_type, count() AS outcomes, uniqExact(t.run_id) AS runs
        FROM outcomes AS t
        WHERE $__timeFilter(t.time) AND {{who_acts}}
        GROUP BY t.outcome, t.task_type
    ),
    paid AS (
        SELECT r.task_type AS task_type, count() AS of_runs, sum(r.cost_usd) AS cost_usd, sum(r.unpriced_calls + r.partial_calls) AS unpriced_calls
        FROM {{run_lines}} AS r
        GROUP BY r.task_type
    )
SELECT
    o.outcome AS outcome,
    sum(o.outcomes) AS outcomes,
    sum(o.runs) AS runs,
    sum(p.of_runs) AS of_runs,
    sum(p.cost_usd) AS cost_usd,
    if(outcomes > 0, toDecimal128(cost_usd / outcomes, 15), NULL) AS per_outcome_usd,
    sum(p.unpriced_calls) AS unpriced_calls
FROM told AS o
LEFT JOIN paid AS p ON p.task_type = o.task_type
GROUP BY o.outcome
ORDER BY cost_usd DESC NULLS LAST, outcome
LIMIT 100
""",
)
