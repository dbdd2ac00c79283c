"""What caching saves and costs, by agent and model."""

from farthing.dashboards.panel import Column, Panel, text, usd

PANEL = Panel(
    title="Saved and paid",
    question="Where does caching pay, and where does it cost?",
    chart="table",
    hourly=True,
    note="By the price list. Written again: tokens written per token read; near 1 or above"
    " it, the cache is written and not used. Where nothing is cached, what a hit rate of"
    " 80 of 100 would save is not counted. What is lost comes first.",
    columns=(
        text("agent"),
        text("model"),
        usd("net_usd", "net", bar=True),
        usd("saved_usd", "saved by reads"),
        usd("paid_usd", "paid extra for writes"),
        Column(name="hit_rate", unit="share", title="of the prompt from cache"),
        Column(name="writes_per_read", unit="ratio", title="written per read"),
    ),
    sql="""
SELECT
    if(t.agent = '', '(none)', t.agent) AS agent,
    t.model AS model,
    saved_usd - paid_usd AS net_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.saved_femto, 0)), 15) / 1000000000000000, 15) AS saved_usd,
    toDecimal128(toDecimal256(sum(ifNull(t.paid_femto, 0)), 15) / 1000000000000000, 15) AS paid_usd,
    sum(t.cache_read_tokens) / nullIf(sum(t.input_tokens + t.cache_read_tokens + t.cache_write_tokens), 0) AS hit_rate,
    sum(t.cache_write_tokens) / nullIf(sum(t.cache_read_tokens), 0) AS writes_per_read
FROM {{priced_calls}} AS t
GROUP BY t.agent, t.model
ORDER BY net_usd < 0 DESC, abs(net_usd) DESC, agent, model
LIMIT 100
""",
)
