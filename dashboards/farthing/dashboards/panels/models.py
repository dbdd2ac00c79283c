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
    note="Per million tokens: what was paid for all buckets together, caching included.",
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
SELECT
    t.provider AS provider,
    if(t.model = '', '(none)', t.model) AS model,
    sum(t.cost_usd) AS cost_usd,
    toFloat64(cost_usd) / nullIf(toFloat64(sum(sum(t.cost_usd)) OVER ()), 0) AS spend_share,
    sum(t.calls) AS calls,
    calls / nullIf(sum(sum(t.calls)) OVER (), 0) AS call_share,
    if(sumIf({{tokens}}, t.cost_usd IS NOT NULL) > 0,
        toDecimal128(toDecimal256(cost_usd, 15) * 1000000 / sumIf({{tokens}}, t.cost_usd IS NOT NULL), 15), NULL) AS per_mtok_usd,
    quantileTDigestIf(0.5)(t.duration_us, t.entry = 'span') / 1000000 AS p50_s,
    quantileTDigestIf(0.95)(t.duration_us, t.entry = 'span') / 1000000 AS p95_s,
    sum(t.errors) / nullIf(countIf(t.entry = 'span'), 0) AS error_rate,
    sumIf(t.calls, t.cost_state IN ('unpriced', 'no_usage', 'partial')) AS unpriced_calls
FROM spans AS t
WHERE {{in_time}} AND t.kind IN ('model_call', 'embedding')
GROUP BY t.provider, t.model
ORDER BY cost_usd DESC NULLS LAST, provider, model
LIMIT 100
""",
)
