"""Tool calls over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Tool calls",
    question="When were which tools called?",
    chart="time_bars",
    note="The 8 that are called most, and the others.",
    empty="No tool call in this range.",
    columns=(TIME, SERIES, count("calls")),
    sql="""
WITH top AS (SELECT t.tool_name AS tool FROM spans AS t WHERE {{tool_spans}} GROUP BY t.tool_name ORDER BY count() DESC, tool LIMIT 8)
SELECT
    $__timeInterval(t.time) AS time,
    if(t.tool_name IN (SELECT tool FROM top), if(t.tool_name = '', '(none)', t.tool_name), 'others') AS series,
    count() AS calls
FROM spans AS t
WHERE {{tool_spans}}
GROUP BY time, series
ORDER BY time, series
""",
)
