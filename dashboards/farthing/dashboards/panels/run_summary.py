"""One run in a line."""

from farthing.dashboards.panel import (
    UNKNOWN_CALLS,
    Column,
    Panel,
    Steps,
    count,
    text,
    usd,
)

PANEL = Panel(
    title="Run",
    question="What did this run cost, and is that usual?",
    chart="stat",
    timeless=True,
    note="Usual is the median of its kind of task in the 28 days before it ended, of the"
    " cache what all of these runs read from it. Peak context is the longest prompt.",
    empty="There is no run of this id. Choose one from the table of runs.",
    columns=(
        usd(),
        Column(name="times_median", unit="ratio", title="vs median", steps=Steps(3, 5)),
        count("turns", "model calls"),
        Column(name="times_turns", unit="ratio", title="vs median", steps=Steps(3, 5)),
        count("tool_calls", "tool calls"),
        Column(name="peak_tokens", unit="tokens", title="peak context"),
        Column(name="first_tokens", unit="tokens", title="at first"),
        Column(name="cache_hit", unit="share", title="of the prompt from cache"),
        Column(name="usual_hit", unit="share", title="usually"),
        Column(name="wasted_usd", unit="usd", title="without progress"),
        Column(name="wasted_share", unit="share", title="of the run"),
        text("outcome"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    (SELECT (max(prompt_tokens), argMin(prompt_tokens, turn)) FROM {{run_turns}}) AS context,
    one AS (SELECT * FROM {{all_runs}} AS t WHERE t.run_id IN (${run:singlequote})),
    (SELECT (task_type, end_time) FROM one LIMIT 1) AS kind,
    peers AS (
        SELECT quantileExact(0.5)(assumeNotNull(p.cost_usd)) AS median_usd, quantileExact(0.5)(p.calls) AS median_calls,
            sum(p.cached_tokens) / nullIf(sum(p.prompt_tokens), 0) AS usual_hit
        FROM {{all_runs}} AS p
        WHERE p.task_type = kind.1 AND p.cost_usd IS NOT NULL
            AND p.end_time > kind.2 - toIntervalDay(28) AND p.end_time <= kind.2
    ),
    (SELECT (median_usd, median_calls, usual_hit) FROM peers) AS usual,
    waste AS (
        SELECT max(agent_usd) AS wasted_usd
        FROM (SELECT sum(cost_usd) AS agent_usd FROM findings FINAL WHERE run_id IN (${run:singlequote}) AND level = 'confirmed' GROUP BY agent, kind)
    ),
    (
        SELECT (count(), argMax(error_type, time)) FROM spans
        WHERE run_id IN (${run:singlequote}) AND kind = 'agent' AND parent_span_id = '' AND entry = 'span'
    ) AS roots
SELECT
    o.cost_usd AS cost_usd,
    if(usual.1 > 0, toFloat64(o.cost_usd) / toFloat64(usual.1), NULL) AS times_median,
    o.calls AS turns,
    if(usual.2 > 0, o.calls / usual.2, NULL) AS times_turns,
    o.tool_calls AS tool_calls,
    context.1 AS peak_tokens,
    context.2 AS first_tokens,
    o.cached_tokens / nullIf(o.prompt_tokens, 0) AS cache_hit,
    usual.3 AS usual_hit,
    (SELECT wasted_usd FROM waste) AS wasted_usd,
    if(o.cost_usd > 0, toFloat64(wasted_usd) / toFloat64(o.cost_usd), NULL) AS wasted_share,
    multiIf(roots.1 = 0, 'not known', roots.2 = '', 'finished', roots.2) AS outcome,
    o.unpriced_calls + o.partial_calls AS unpriced_calls
FROM one AS o
LIMIT 1
""",
)
