"""What prompt caches saved."""

from farthing.dashboards.panel import Column, Panel, count, usd

PANEL = Panel(
    title="Cache savings",
    question="Is caching paying: what did reads save, less what writes cost extra?",
    chart="stat",
    note="By the price list: what was read at the price of plain input, less its own"
    " price; written tokens likewise.",
    columns=(
        usd("net_usd", "net"),
        usd("saved_usd", "saved by reads"),
        usd("paid_usd", "paid extra for writes"),
        Column(name="saved_share", unit="share", title="off the bill"),
        Column(name="hit_rate", unit="share", title="of the prompt from cache"),
        count("unknown_calls", "calls not counted"),
    ),
    sql="""
WITH (SELECT sum(t.cost_usd) FROM spend_hourly AS t WHERE {{hours}}) AS spent_usd
SELECT
    saved_usd - paid_usd AS net_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.saved_femto, 0)), 15) / 1000000000000000, 15) AS saved_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.paid_femto, 0)), 15) / 1000000000000000, 15) AS paid_usd,
    toFloat64(net_usd) / nullIf(toFloat64(net_usd + spent_usd), 0) AS saved_share,
    sum(t.cache_read_tokens) / nullIf(sum(t.input_tokens + t.cache_read_tokens + t.cache_write_tokens), 0) AS hit_rate,
    sumIf(t.entries, t.is_unknown) AS unknown_calls
FROM {{priced_calls}} AS t
""",
)
