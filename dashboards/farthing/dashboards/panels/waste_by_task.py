"""Waste by kind of task."""

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
    title="Waste by task type",
    question="Which kinds of task loop, and what does it cost?",
    chart="table",
    empty="Nothing was wasted in this range, as far as it is seen.",
    columns=(
        TASK,
        usd(bar=True),
        count("runs", "runs that looped"),
        count("of_runs", "all runs"),
        Column(
            name="share",
            unit="share",
            title="share that looped",
            steps=Steps(0.01, 0.05),
        ),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH lines AS (SELECT * FROM {{run_lines}})
SELECT
    if(l.task_type = '', '(none)', l.task_type) AS task_type,
    sum(w.cost_usd) AS cost_usd,
    countIf(w.run_id != '') AS runs,
    count() AS of_runs,
    runs / of_runs AS share,
    sum(w.unpriced_calls) AS unpriced_calls
FROM lines AS l
LEFT JOIN {{wasted}} AS w ON w.run_id = l.run_id
GROUP BY l.task_type
HAVING runs > 0
ORDER BY cost_usd DESC, task_type
LIMIT 100
""",
)
