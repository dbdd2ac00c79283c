"""The most expensive runs."""

from farthing.dashboards.panel import (
    RUN,
    TASK,
    UNKNOWN_CALLS,
    Column,
    Panel,
    Steps,
    count,
    text,
    usd,
)

PANEL = Panel(
    title="Most expensive runs",
    question="Which runs cost most, and was it for good reason?",
    chart="table",
    note="The verdict: a confirmed loop; a runaway, which cost 5 times the median of its"
    " kind of task or more; an error. Context growth: prompt tokens from call to call,"
    " of the agent with the longest prompts.",
    columns=(
        RUN,
        TASK,
        text("agent"),
        text("business_unit", "business unit"),
        count("calls"),
        Column(name="context", unit="sparkline", title="context growth"),
        Column(name="peak_tokens", unit="tokens", title="peak context"),
        usd(bar=True),
        Column(name="times_median", unit="ratio", title="vs median", steps=Steps(3, 5)),
        UNKNOWN_CALLS,
        text("verdict"),
    ),
    sql="""
WITH
    -- The dearest of each kind of task, beside its median: (unknown, less, run_id, agent, business_unit, calls, unpriced, errors, start, end).
    kinds AS (
        SELECT
            t.task_type AS task_type, quantileExactIf(0.5)(ifNull(t.cost_usd, 0), t.cost_usd IS NOT NULL) AS median_usd,
            groupArraySorted(20)((
                t.cost_usd IS NULL, -ifNull(t.cost_usd, 0), t.run_id, t.agent, t.business_unit, t.calls, t.unpriced_calls + t.partial_calls, t.errors, t.start_time, t.end_time
            )) AS dearest
        FROM {{run_lines}} AS t
        GROUP BY t.task_type
    ),
    (
        SELECT (groupArray((task_type, median_usd, run)), groupArray(run.3), min(run.9), max(run.10))
        FROM (SELECT task_type, median_usd, arrayJoin(dearest) AS run FROM kinds ORDER BY run LIMIT 20)
    ) AS top,
    contexts AS (
        SELECT run_id, max(peak) AS peak_tokens, argMax(turns, peak) AS context
        FROM (
            SELECT t.run_id AS run_id, max({{prompt}}) AS peak, arrayMap(x -> x.2, arraySort(groupArrayIf((t.time, {{prompt}}), {{prompt}} > 0))) AS turns
            FROM spans AS t
            PREWHERE t.run_id IN (SELECT arrayJoin(top.2)) AND t.time >= top.3 AND t.time <= top.4
            WHERE t.kind = 'model_call' AND t.entry = 'span'
            GROUP BY t.run_id, t.agent
        )
        GROUP BY run_id
    ),
    found AS (SELECT run_id, any(kind) AS kind FROM findings FINAL WHERE level = 'confirmed' AND run_id IN (SELECT arrayJoin(top.2)) GROUP BY run_id)
SELECT
    d.run.3 AS run_id,
    if(d.task_type = '', '(none)', d.task_type) AS task_type,
    d.run.4 AS agent,
    if(d.run.5 = '', '(none)', d.run.5) AS business_unit,
    d.run.6 AS calls,
    c.context AS context,
    c.peak_tokens AS peak_tokens,
    if(d.run.1, NULL, -d.run.2) AS cost_usd,
    if(d.median_usd > 0, toFloat64(cost_usd) / toFloat64(d.median_usd), NULL) AS times_median,
    d.run.7 AS unpriced_calls,
    multiIf(f.kind != '', replaceAll(f.kind, '_', ' '), ifNull(times_median, 0) >= 5, 'runaway', d.run.8 > 0, 'errors', 'ok') AS verdict
FROM (SELECT kind_of.1 AS task_type, kind_of.2 AS median_usd, kind_of.3 AS run FROM (SELECT arrayJoin(top.1) AS kind_of)) AS d
LEFT JOIN contexts AS c ON c.run_id = d.run.3
LEFT JOIN found AS f ON f.run_id = d.run.3
ORDER BY d.run
""",
)
