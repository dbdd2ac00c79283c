"""Tool calls over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Tool calls",
    question="When were which tools called?",
    chart="time_bars",
    hourly=True,
    note="The 8 that are called most, and the others.",
    empty="No tool call in this range.",
    columns=(TIME, SERIES, count("calls")),
    sql="""
WITH top AS (SELECT t.tool_name AS tool FROM telemetry_hourly AS t WHERE {{tool_hours}} AND t.tool_name != '(others)' GROUP BY tool ORDER BY sum(t.spans) DESC, tool LIMIT 8)
SELECT
    $__timeInterval(t.hour) AS time,
    multiIf(t.tool_name NOT IN (SELECT tool FROM top), '(others)', t.tool_name = '', '(none)', t.tool_name) AS series,
    sum(t.spans) AS calls
FROM telemetry_hourly AS t
WHERE {{tool_hours}}
GROUP BY time, series
ORDER BY time, series
""",
)
