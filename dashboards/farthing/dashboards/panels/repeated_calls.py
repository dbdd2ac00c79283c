"""Tool calls that are made again and again."""

from farthing.dashboards.panel import RUN, Column, Panel, Steps, count, text

PANEL = Panel(
    title="Repeated tool calls",
    question="Which tool is called again with the same arguments?",
    chart="table",
    note="Calls of one agent within a run with equal arguments (by fingerprint), 3 times or"
    " more. Equal results make it a loop; new results are polling or a retry that helps. Runs"
    " that ended in the range, of more than 1,000 the newest.",
    empty="No tool was called 3 times with the same arguments. Fingerprints come from"
    " Farthing's instrumentation.",
    limit="the newest 1,000 runs",
    columns=(
        RUN,
        text("agent"),
        text("tool"),
        Column(name="calls", unit="count", title="equal calls", steps=Steps(5, 10)),
        count("results", "different results"),
        count("errors", "errors"),
        Column(name="first_time", unit="time", title="from"),
        Column(name="last_time", unit="time", title="to"),
    ),
    sql="""
WITH {{newest}}
SELECT
    t.run_id AS run_id,
    t.agent AS agent,
    t.tool_name AS tool,
    count() AS calls,
    uniqExact(t.attributes['farthing.fingerprint.result_norm_hash']) AS results,
    countIf(t.error_type != '' OR t.attributes['farthing.fingerprint.error'] = 'true') AS errors,
    min(t.time) AS first_time,
    max(t.time) AS last_time
FROM spans AS t
PREWHERE t.run_id IN (SELECT arrayJoin(newest.2)) AND t.time >= newest.1 AND t.time <= $__toTime
WHERE t.kind = 'tool' AND t.entry = 'span' AND {{who_acts}} AND t.attributes['farthing.fingerprint.args_hash'] != ''
GROUP BY t.run_id, t.agent, t.tool_name, t.attributes['farthing.fingerprint.args_hash']
HAVING calls >= 3
ORDER BY calls DESC, run_id, tool
LIMIT 50
""",
)
