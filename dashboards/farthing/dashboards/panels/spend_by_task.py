"""Spend over time, by kind of task."""

from farthing.dashboards.panel import SERIES, TIME, Panel, usd

PANEL = Panel(
    title="Spend by task type",
    question="When was it spent, and on which kinds of task?",
    chart="time_bars",
    hourly=True,
    usual="spend_usual",
    note="USD per bar; the 8 dearest and the others. ≥ marks calls whose cost is not"
    " known.",
    columns=(TIME, SERIES, usd()),
    sql="""
WITH top AS (
    SELECT t.task_type AS task_type FROM spend_hourly AS t WHERE {{hours}} AND t.task_type != '(others)' GROUP BY t.task_type ORDER BY sum(t.cost_usd) DESC, t.task_type LIMIT 8
)
SELECT
    $__timeInterval(t.hour) AS time,
    concat(
        if(sum(sum(t.unpriced_calls + t.partial_calls)) OVER (PARTITION BY name) > 0, '≥ ', ''), name
    ) AS series,
    {{cost}} AS cost_usd
FROM spend_hourly AS t
WHERE {{hours}} AND t.calls != 0
GROUP BY time, if(t.task_type IN (SELECT task_type FROM top), if(t.task_type = '', '(none)', t.task_type), '(others)') AS name
ORDER BY time, series
""",
)
