"""Spend over time, by model."""

from farthing.dashboards.panel import SERIES, TIME, Panel, usd

PANEL = Panel(
    title="Spend by model",
    question="When was it spent, and on which models?",
    chart="time_bars",
    hourly=True,
    usual="spend_usual",
    note="USD per bar; the 8 dearest models and the others. ≥ marks a model with calls"
    " whose cost is not known.",
    columns=(TIME, SERIES, usd()),
    sql="""
WITH top AS (
    SELECT t.model AS model FROM spend_hourly AS t WHERE {{hours}} AND t.model != '(others)' GROUP BY t.model ORDER BY sum(t.cost_usd) DESC, t.model LIMIT 8
)
SELECT
    $__timeInterval(t.hour) AS time,
    concat(
        if(sum(sum(t.unpriced_calls + t.partial_calls)) OVER (PARTITION BY name) > 0, '≥ ', ''), name
    ) AS series,
    {{cost}} AS cost_usd
FROM spend_hourly AS t
WHERE {{hours}} AND t.calls != 0
GROUP BY time, if(t.model IN (SELECT model FROM top), if(t.model = '', '(none)', t.model), '(others)') AS name
ORDER BY time, series
""",
)
