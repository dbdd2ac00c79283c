"""Errors of tools over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Errors of tools",
    question="When did which tools fail?",
    chart="time_bars",
    note="The 8 that fail most, and the others.",
    empty="No tool failed in this range.",
    columns=(TIME, SERIES, count("errors")),
    sql="""
WITH
    failed AS (
        SELECT t.time AS time, t.tool_name AS tool FROM spans AS t
        WHERE {{tool_spans}} AND (t.error_type != '' OR t.attributes['farthing.fingerprint.error'] = 'true')
    ),
    top AS (SELECT tool FROM failed GROUP BY tool ORDER BY count() DESC, tool LIMIT 8)
SELECT
    $__timeInterval(f.time) AS time,
    if(f.tool IN (SELECT tool FROM top), if(f.tool = '', '(none)', f.tool), 'others') AS series,
    count() AS errors
FROM failed AS f
GROUP BY time, series
ORDER BY time, series
""",
)
