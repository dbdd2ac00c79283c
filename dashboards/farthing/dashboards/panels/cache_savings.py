"""What prompt caches saved."""

from farthing.dashboards.panel import Column, Panel, count, usd

PANEL = Panel(
    title="Cache savings",
    question="Is caching paying: what did reads save, less what writes cost extra?",
    chart="stat",
    hourly=True,
    note="By the price list: what was read at the price of plain input, less its own"
    " price; written tokens likewise. The share from the cache is of all prompt tokens, as"
    " in `farthing report`, and that before of as many hours.",
    columns=(
        usd("net_usd", "net"),
        usd("saved_usd", "saved by reads"),
        usd("paid_usd", "paid extra for writes"),
        Column(name="saved_share", unit="share", title="off the bill"),
        Column(name="hit_rate", unit="share", title="of the prompt from cache"),
        Column(name="before_rate", unit="share", title="range before"),
        Column(name="read_tokens", unit="tokens", title="read"),
        Column(name="written_tokens", unit="tokens", title="written"),
        count("unknown_calls", "calls not counted"),
    ),
    sql="""
WITH
    toStartOfHour(toDateTime($__fromTime, 'UTC')) AS since, {{hours_before}} AS before,
    (SELECT min(o.hour) FROM spend_hourly AS o) AS oldest,
    (
        SELECT (
            sumIf(t.cache_read_tokens + t.cache_audio_tokens, t.hour >= since) / nullIf(sumIf({{prompt}}, t.hour >= since), 0),
            if(oldest > before, NULL, sumIf(t.cache_read_tokens + t.cache_audio_tokens, t.hour < since) / nullIf(sumIf({{prompt}}, t.hour < since), 0))
        )
        FROM spend_hourly AS t WHERE t.hour >= before AND t.hour <= $__toTime AND {{chosen}}
    ) AS hourly
SELECT
    saved_usd - paid_usd AS net_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.saved_femto, 0)), 15) / 1000000000000000, 15) AS saved_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.paid_femto, 0)), 15) / 1000000000000000, 15) AS paid_usd,
    toFloat64(net_usd) / nullIf(toFloat64(net_usd + sum(t.cost_usd)), 0) AS saved_share,
    hourly.1 AS hit_rate,
    hourly.2 AS before_rate,
    sum(t.cache_read_tokens) AS read_tokens,
    sum(t.cache_write_tokens) AS written_tokens,
    sumIf(t.calls, t.is_unknown) AS unknown_calls
FROM {{priced_calls}} AS t
""",
)
