"""Cost by kind of task, against what is usual."""

from farthing.dashboards.panel import (
    TASK,
    UNKNOWN_CALLS,
    Column,
    Panel,
    Steps,
    count,
    usd,
)

PANEL = Panel(
    title="Cost per task type",
    question="Which kinds of task cost most, and did one run of them get dearer?",
    chart="table",
    note="Runs that ended in the range. The change compares the median run with that of"
    " the 28 days before, where these had 20 runs. What is not known of a run counts nothing.",
    columns=(
        TASK,
        usd(bar=True),
        count("runs"),
        usd("median_usd", "median run"),
        usd("p95_usd", "p95 run"),
        Column(
            name="change",
            unit="share",
            title="median vs 28 days",
            steps=Steps(0.2, 0.5),
        ),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH usual AS (
    SELECT t.task_type AS task_type, quantileExact(0.5)(ifNull(t.cost_usd, 0)) AS median_usd
    FROM {{all_runs}} AS t
    WHERE t.end_time >= $__fromTime - toIntervalDay(28) AND t.end_time < $__fromTime AND t.calls > 0 AND {{who}}
    GROUP BY t.task_type
    HAVING count() >= 20
)
SELECT
    if(r.task_type = '', '(none)', r.task_type) AS task_type,
    sum(r.cost_usd) AS cost_usd,
    count() AS runs,
    if(count(r.cost_usd) = 0, NULL, quantileExact(0.5)(ifNull(r.cost_usd, 0))) AS median_usd,
    if(count(r.cost_usd) = 0, NULL, quantileExact(0.95)(ifNull(r.cost_usd, 0))) AS p95_usd,
    if(any(u.median_usd) > 0, toFloat64(median_usd - any(u.median_usd)) / toFloat64(any(u.median_usd)), NULL) AS change,
    sum(r.unpriced_calls + r.partial_calls) AS unpriced_calls
FROM {{run_lines}} AS r
LEFT JOIN usual AS u ON u.task_type = r.task_type
GROUP BY r.task_type
ORDER BY cost_usd DESC NULLS LAST, task_type
LIMIT 100
""",
)
