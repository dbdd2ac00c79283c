"""Errors of tools over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Errors of tools",
    question="When did which tools fail?",
    chart="time_bars",
    empty="No tool failed in this range.",
    columns=(TIME, SERIES, count("errors")),
    sql="""
SELECT
    $__timeInterval(t.time) AS time,
    if(t.tool_name = '', '(none)', t.tool_name) AS series,
    count() AS errors
FROM spans AS t
WHERE {{tool_spans}} AND (t.error_type != '' OR t.attributes['farthing.fingerprint.error'] = 'true')
GROUP BY time, t.tool_name
ORDER BY time, series
""",
)
