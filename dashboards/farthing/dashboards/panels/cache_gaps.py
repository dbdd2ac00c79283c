"""Pauses that let the cache expire."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Pauses beyond the cache's lifetime",
    question="Which agents wait longer than their cache lives, and pay for the prompt again?",
    chart="table",
    note="Model calls of one agent in one run that began more than 5 minutes after the one"
    " before; missed: fewer than a tenth of the tokens that were cached before were read."
    " A lifetime of one hour may pay for these. Runs that ended in the range, of more than"
    " 1,000 the newest.",
    empty="No pause was longer than 5 minutes.",
    limit="the newest 1,000 runs",
    columns=(
        text("agent"),
        text("model"),
        count("pauses"),
        count("missed", "cache missed"),
        Column(name="median_s", unit="seconds", title="median pause"),
        Column(name="tokens", unit="tokens", title="paid for again"),
        usd(title="cost of these calls"),
    ),
    sql="""
WITH
    {{newest}},
    pairs AS (
        SELECT
            t.agent AS agent, t.model AS model, t.cost_usd AS cost_usd, t.cache_read_tokens AS cache_read_tokens,
            t.time - toIntervalMicrosecond(t.duration_us) AS began,
            lagInFrame(t.time - toIntervalMicrosecond(t.duration_us)) OVER by_agent AS before_began,
            lagInFrame(t.cache_read_tokens + t.cache_write_5m_tokens + t.cache_write_1h_tokens) OVER by_agent AS before_cached
        FROM spans AS t
        PREWHERE t.run_id IN (SELECT arrayJoin(newest.2)) AND t.time >= newest.1 AND t.time <= $__toTime
        WHERE t.kind = 'model_call' AND t.entry = 'span' AND t.calls = 1 AND {{chosen}}
        WINDOW by_agent AS (PARTITION BY t.run_id, t.agent ORDER BY t.time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT
    if(agent = '', '(none)', agent) AS agent, model,
    count() AS pauses,
    countIf(before_cached >= 1000 AND cache_read_tokens < 0.1 * before_cached) AS missed,
    toFloat64(quantileExact(0.5)(dateDiff('second', before_began, began))) AS median_s,
    sumIf(before_cached, before_cached >= 1000 AND cache_read_tokens < 0.1 * before_cached) AS tokens,
    sumIf(pairs.cost_usd, before_cached >= 1000 AND cache_read_tokens < 0.1 * before_cached) AS cost_usd
FROM pairs
WHERE before_began > toDateTime(0) AND dateDiff('second', before_began, began) > 300
GROUP BY pairs.agent, model
ORDER BY missed DESC, pauses DESC, agent, model
LIMIT 50
""",
)
