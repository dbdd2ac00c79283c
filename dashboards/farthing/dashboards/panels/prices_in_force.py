"""The prices of the models in use."""

from farthing.dashboards.panel import Panel, text, usd

PANEL = Panel(
    title="Prices in force",
    question="What do the models in use cost now, and where is that written?",
    chart="table",
    note="USD per million tokens, standard service, of the newest price list; the first level"
    " where prices hang on the length of the prompt.",
    empty="No model of this range is on the price list: `farthing prices lookup MODEL` says"
    " more.",
    columns=(
        text("provider"),
        text("model"),
        usd("input_usd", "input"),
        usd("cache_read_usd", "cache read"),
        usd("cache_write_usd", "cache write"),
        usd("output_usd", "output"),
        text("levels"),
        text("valid_from", "since"),
        text("source"),
        text("checked_on", "checked on"),
    ),
    sql="""
WITH in_use AS (
    SELECT DISTINCT t.provider AS provider, t.model AS model FROM telemetry_hourly AS t WHERE {{hours}} AND t.calls > 0
)
SELECT
    l.provider AS provider,
    l.model AS model,
    if(l.rates[1] < 0, NULL, toDecimal128(toDecimal128(l.rates[1], 9) / 1000000000, 9)) AS input_usd,
    if(l.rates[2] < 0, NULL, toDecimal128(toDecimal128(l.rates[2], 9) / 1000000000, 9)) AS cache_read_usd,
    if(l.rates[3] < 0, NULL, toDecimal128(toDecimal128(l.rates[3], 9) / 1000000000, 9)) AS cache_write_usd,
    if(l.rates[7] < 0, NULL, toDecimal128(toDecimal128(l.rates[7], 9) / 1000000000, 9)) AS output_usd,
    arrayStringConcat(arrayMap(above -> concat('more above ', toString(above)), l.thresholds), ', ') AS levels,
    if(l.valid_from <= toDateTime(0, 'UTC'), 'always', formatDateTime(l.valid_from, '%Y-%m-%d')) AS valid_from,
    l.source AS source,
    l.checked_on AS checked_on
FROM {{list_now}} AS l
WHERE (l.provider, l.model) IN (SELECT provider, model FROM in_use)
ORDER BY output_usd DESC NULLS LAST, provider, model
LIMIT 200
""",
)
