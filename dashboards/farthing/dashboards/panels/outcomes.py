"""What runs cost by how they ended."""

from farthing.dashboards.panel import (
    UNKNOWN_CALLS,
    Column,
    Panel,
    Steps,
    count,
    text,
    usd,
)

PANEL = Panel(
    title="Cost per finished task",
    question="What does a finished task cost, with the failed tries paid for?",
    chart="table",
    note="A run finished if its first agent's span ended without an error, and failed if"
    " it ended with one; where no such span was seen that is not known. A finished task"
    " pays for all runs of its kind.",
    columns=(
        text("task_type", "task type"),
        count("finished"),
        count("failed"),
        count("not_known", "not known"),
        usd("finished_usd", "on finished"),
        usd("failed_usd", "on failed"),
        usd("per_finished_usd", "per finished task"),
        Column(
            name="failed_share",
            unit="share",
            title="of spend on failed",
            steps=Steps(0.05, 0.15),
        ),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    ended AS (
        SELECT t.run_id AS run_id, max(t.finished_time) AS finished, max(t.failed_time) AS failed
        FROM run_agents AS t
        PREWHERE {{ended_since}}
        GROUP BY t.run_id
        HAVING greatest(finished, failed) > toDateTime(0)
    ),
    lines AS (
        SELECT r.task_type AS task_type, ifNull(r.cost_usd, 0) AS cost_usd, r.unpriced_calls + r.partial_calls AS unknown,
            multiIf(e.run_id = '', 'not known', e.finished > e.failed, 'finished', 'failed') AS outcome
        FROM {{run_lines}} AS r
        LEFT JOIN ended AS e ON e.run_id = r.run_id
        WHERE r.calls > 0
    )
SELECT
    if(l.task_type = '', '(none)', l.task_type) AS task_type,
    countIf(l.outcome = 'finished') AS finished,
    countIf(l.outcome = 'failed') AS failed,
    countIf(l.outcome = 'not known') AS not_known,
    sumIf(l.cost_usd, l.outcome = 'finished') AS finished_usd,
    sumIf(l.cost_usd, l.outcome = 'failed') AS failed_usd,
    if(finished > 0, toDecimal128(sum(l.cost_usd) / finished, 15), NULL) AS per_finished_usd,
    toFloat64(failed_usd) / nullIf(toFloat64(sum(l.cost_usd)), 0) AS failed_share,
    sum(l.unknown) AS unpriced_calls
FROM lines AS l
GROUP BY l.task_type
ORDER BY sum(l.cost_usd) DESC, task_type
LIMIT 100
""",
)
