"""Errors of tools over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Errors of tools",
    question="When did which tools fail?",
    chart="time_bars",
    note="The 8 that fail most, and the others.",
    hourly=True,
    empty="No tool failed in this range.",
    columns=(TIME, SERIES, count("errors")),
    sql="""
WITH top AS (SELECT t.tool_name AS tool FROM telemetry_hourly AS t WHERE {{tool_hours}} AND t.tool_name != '(others)' GROUP BY tool ORDER BY sum(t.failed_tools) DESC, tool LIMIT 8)
SELECT
    $__timeInterval(t.hour) AS time,
    multiIf(t.tool_name NOT IN (SELECT tool FROM top), '(others)', t.tool_name = '', '(none)', t.tool_name) AS series,
    sum(t.failed_tools) AS errors
FROM telemetry_hourly AS t
WHERE {{tool_hours}} AND t.failed_tools > 0
GROUP BY time, series
ORDER BY time, series
""",
)
