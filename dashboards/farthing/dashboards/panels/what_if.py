"""The same tokens on another model."""

from farthing.dashboards.panel import Column, Panel, text, usd

PANEL = Panel(
    title="The same tokens on another model",
    question="What would the calls of the range have cost on one of the other models?",
    chart="table",
    hourly=True,
    note="All priced tokens that the filters leave, at the list price that holds now, of the"
    " models in use; filter by task type or model to ask about these. Where a model has no"
    " price for cached tokens they cost what plain input costs. Other models need other"
    " numbers of tokens: take it as a first guess.",
    columns=(
        text("provider"),
        text("model"),
        usd("there_usd", "there"),
        usd("now_usd", "paid"),
        usd("difference_usd", "difference", bar=True),
        Column(name="change", unit="share", title="difference in percent"),
    ),
    sql="""
WITH
    used AS (
        SELECT
            sum(t.cost_usd) AS now_usd,
            [sum(t.input_tokens), sum(t.cache_read_tokens), sum(t.cache_write_5m_tokens), sum(t.cache_write_1h_tokens),
                sum(t.input_audio_tokens), sum(t.cache_audio_tokens), sum(t.output_tokens), sum(t.reasoning_tokens), sum(t.output_audio_tokens)] AS tokens
        FROM spend_hourly AS t
        WHERE {{hours}} AND t.cost_state = 'priced' AND t.model NOT ILIKE '%embed%'
    ),
    in_use AS (
        SELECT DISTINCT t.provider AS provider, t.model AS model FROM telemetry_hourly AS t
        WHERE t.hour >= $__fromTime - toIntervalDay(28) AND t.hour <= $__toTime AND t.kind = 'model_call' AND t.calls > 0
    )
SELECT
    l.provider AS provider,
    l.model AS model,
    toDecimal128(toDecimal256(arraySum((n, i) -> toInt128(n) * multiIf(l.rates[i] >= 0, l.rates[i], i <= 6, l.rates[1], l.rates[7]),
        u.tokens, arrayEnumerate(u.tokens)), 15) / 1000000000000000, 15) AS there_usd,
    u.now_usd AS now_usd,
    there_usd - now_usd AS difference_usd,
    if(now_usd > 0, toFloat64(difference_usd) / toFloat64(now_usd), NULL) AS change
FROM {{list_now}} AS l
CROSS JOIN used AS u
WHERE (l.provider, l.model) IN (SELECT provider, model FROM in_use) AND l.kind = 'priced' AND l.rates[1] >= 0 AND l.rates[7] >= 0 AND u.now_usd > 0
ORDER BY there_usd, provider, model
LIMIT 50
""",
)
