"""Runs by turns and cost."""

from farthing.dashboards.panel import RUN, Panel, count, text, usd

PANEL = Panel(
    title="Turns and cost",
    question="Which runs are far from the others?",
    chart="scatter",
    note="The 300 dearest runs that ended in the range.",
    limit="the 300 dearest",
    columns=(count("calls", "model calls"), usd(), text("task_type", "task type"), RUN),
    sql="""
SELECT t.calls AS calls, assumeNotNull(t.cost_usd) AS cost_usd, if(t.task_type = '', '(none)', t.task_type) AS task_type, t.run_id AS run_id
FROM {{run_lines}} AS t
WHERE t.calls > 0 AND t.cost_usd IS NOT NULL
ORDER BY t.cost_usd DESC, t.run_id
LIMIT 300
""",
)
