"""Models: share of calls, share of spend, price of a token, speed."""

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
    title="Models",
    question="Which models do the work, which take the money, and how fast are they?",
    chart="table",
    hourly=True,
    note="Per million tokens: what was paid for all buckets together, caching included."
    " p50 and p95 are of the last 7 days of the range.",
    columns=(
        text("provider"),
        text("model"),
        usd(bar=True),
        Column(name="spend_share", unit="share", title="of spend"),
        count("calls"),
        Column(name="call_share", unit="share", title="of calls"),
        usd("per_mtok_usd", "per million tokens"),
        Column(name="p50_s", unit="seconds", title="p50"),
        Column(name="p95_s", unit="seconds", title="p95"),
        Column(name="error_rate", unit="share", title="errors", steps=Steps(0.02, 0.1)),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    paid AS (
        SELECT
            t.provider AS provider, t.model AS model, {{cost}} AS cost_usd, sum(t.calls) AS calls,
            sumIf({{tokens}}, t.cost_state NOT IN ('unpriced', 'no_usage')) AS paid_tokens, sum(t.unpriced_calls + t.partial_calls) AS unknown
        FROM spend_hourly AS t
        WHERE {{hours}}
        GROUP BY provider, model
        HAVING sum(t.calls) != 0
    ),
    told AS (
        SELECT t.provider AS provider, t.model AS model, sum(t.errors) / sum(t.spans) AS error_rate
        FROM telemetry_hourly AS t
        WHERE {{hours}} AND t.kind IN ('model_call', 'embedding')
        GROUP BY provider, model
    ),
    took AS (
        SELECT t.provider AS provider, t.model AS model, quantilesTDigest(0.5, 0.95)(t.duration_us) AS us
        FROM spans AS t
        PREWHERE t.kind IN ('model_call', 'embedding')
        WHERE {{in_time}} AND {{lately}} AND t.entry = 'span'
        GROUP BY provider, model
    )
SELECT
    provider,
    if(model = '', '(none)', model) AS model,
    paid.cost_usd AS cost_usd,
    toFloat64(cost_usd) / nullIf(toFloat64(sum(paid.cost_usd) OVER ()), 0) AS spend_share,
    paid.calls AS calls,
    calls / nullIf(sum(paid.calls) OVER (), 0) AS call_share,
    if(paid.paid_tokens > 0, toDecimal128(toDecimal256(cost_usd, 15) * 1000000 / paid.paid_tokens, 15), NULL) AS per_mtok_usd,
    took.us[1] / 1000000 AS p50_s,
    took.us[2] / 1000000 AS p95_s,
    told.error_rate AS error_rate,
    paid.unknown AS unpriced_calls
FROM told
FULL JOIN paid USING (provider, model)
LEFT JOIN took USING (provider, model)
ORDER BY cost_usd DESC NULLS LAST, provider, model
LIMIT 100
""",
)
