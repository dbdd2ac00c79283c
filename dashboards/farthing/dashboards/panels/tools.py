"""Tools: calls, errors, duration, size of results."""

from farthing.dashboards.panel import Column, Panel, Steps, count, text

PANEL = Panel(
    title="Tools",
    question="Which tools are called, how often do they fail, how long do they take?",
    chart="table",
    hourly=True,
    note="Runs are those that ended in the range. p50 and p95 are of its last 7 days. Result"
    " sizes are in characters, from the fingerprints of Farthing's instrumentation; without"
    " it they are not known.",
    empty="No tool call in this range.",
    columns=(
        text("tool"),
        Column(name="calls", unit="count", bar=True),
        count("runs"),
        Column(name="error_rate", unit="share", title="errors", steps=Steps(0.02, 0.1)),
        Column(name="p50_s", unit="seconds", title="p50"),
        Column(name="p95_s", unit="seconds", title="p95"),
        Column(name="mean_chars", unit="count", title="characters of a result, mean"),
        Column(name="most_chars", unit="count", title="most"),
    ),
    sql="""
WITH
    told AS (
        SELECT t.tool_name AS tool, sum(t.spans) AS calls, sum(t.failed_tools) AS failed,
            sum(t.results) AS results, sum(t.result_chars) AS chars, max(t.longest_result_chars) AS longest
        FROM telemetry_hourly AS t
        WHERE {{tool_hours}}
        GROUP BY tool
    ),
    took AS (
        SELECT t.tool_name AS tool, quantilesTDigest(0.5, 0.95)(t.duration_us) AS us
        FROM spans AS t
        {{tool_spans}} AND {{lately}}
        GROUP BY tool
    ),
    used AS (
        SELECT arrayJoin(c.tools) AS tool, uniqExact(cityHash64(c.run_id)) AS runs
        FROM run_agents AS c
        WHERE cityHash64(c.run_id) GLOBAL IN (SELECT cityHash64(t.run_id) {{runs_ended}}) AND $__conditionalAll(if(c.agent = '', '(none)', c.agent) IN (${agent:singlequote}), $agent)
        GROUP BY tool
    )
SELECT
    if(told.tool = '', '(none)', told.tool) AS tool,
    told.calls AS calls,
    used.runs AS runs,
    told.failed / told.calls AS error_rate,
    took.us[1] / 1000000 AS p50_s,
    took.us[2] / 1000000 AS p95_s,
    if(told.results = 0, NULL, toInt64(told.chars / told.results)) AS mean_chars,
    if(told.results = 0, NULL, toInt64(told.longest)) AS most_chars
FROM told
LEFT JOIN took ON took.tool = told.tool
LEFT JOIN used ON used.tool = told.tool
ORDER BY calls DESC, tool
LIMIT 100
""",
)
