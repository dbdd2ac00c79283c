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
    lines AS (SELECT * FROM {{run_lines}}),
    dearest AS (SELECT * FROM lines ORDER BY cost_usd DESC NULLS LAST, run_id LIMIT 20),
    medians AS (SELECT task_type, quantileExact(0.5)(assumeNotNull(cost_usd)) AS median_usd FROM lines WHERE cost_usd IS NOT NULL GROUP BY task_type),
    contexts AS (
        SELECT run_id, max(peak) AS peak_tokens, argMax(turns, peak) AS context
        FROM (
            SELECT t.run_id AS run_id, max({{prompt}}) AS peak, arrayMap(x -> x.2, arraySort(groupArrayIf((t.time, {{prompt}}), {{prompt}} > 0))) AS turns
            FROM spans AS t
            WHERE t.run_id IN (SELECT run_id FROM dearest) AND t.kind = 'model_call' AND t.entry = 'span'
            GROUP BY t.run_id, t.agent
        )
        GROUP BY run_id
    ),
    found AS (SELECT run_id, any(kind) AS kind FROM findings FINAL WHERE level = 'confirmed' AND run_id IN (SELECT run_id FROM dearest) GROUP BY run_id)
SELECT
    d.run_id AS run_id,
    if(d.task_type = '', '(none)', d.task_type) AS task_type,
    d.agent AS agent,
    if(d.business_unit = '', '(none)', d.business_unit) AS business_unit,
    d.calls AS calls,
    c.context AS context,
    c.peak_tokens AS peak_tokens,
    d.cost_usd AS cost_usd,
    if(m.median_usd > 0, toFloat64(d.cost_usd) / toFloat64(m.median_usd), NULL) AS times_median,
    d.unpriced_calls + d.partial_calls AS unpriced_calls,
    multiIf(f.kind != '', replaceAll(f.kind, '_', ' '), ifNull(times_median, 0) >= 5, 'runaway', d.errors > 0, 'errors', 'ok') AS verdict
FROM dearest AS d
LEFT JOIN medians AS m ON m.task_type = d.task_type
LEFT JOIN contexts AS c ON c.run_id = d.run_id
LEFT JOIN found AS f ON f.run_id = d.run_id
ORDER BY d.cost_usd DESC NULLS LAST, d.run_id
""",
)
