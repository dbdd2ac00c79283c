"""How the costs of runs are spread."""

from farthing.dashboards.panel import TASK, Panel, count, usd

PANEL = Panel(
    title="Spread of the cost of a run",
    question="How different are runs of one kind?",
    chart="table",
    note="Runs that ended in the range and of which some cost is known.",
    columns=(
        TASK,
        count("runs"),
        usd("p5_usd", "p5"),
        usd("median_usd", "median"),
        usd("p95_usd", "p95"),
        usd("most_usd", "most"),
    ),
    sql="""
SELECT
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    count() AS runs,
    quantileExact(0.05)(assumeNotNull(t.cost_usd)) AS p5_usd,
    quantileExact(0.5)(assumeNotNull(t.cost_usd)) AS median_usd,
    quantileExact(0.95)(assumeNotNull(t.cost_usd)) AS p95_usd,
    max(t.cost_usd) AS most_usd
FROM {{run_lines}} AS t
WHERE t.cost_usd IS NOT NULL AND t.calls > 0
GROUP BY t.task_type
ORDER BY most_usd DESC, task_type
LIMIT 100
""",
)
