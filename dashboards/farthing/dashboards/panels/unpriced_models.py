"""Calls not fully priced, and why."""

from farthing.dashboards.panel import Column, Panel, text

PANEL = Panel(
    title="Why calls have no price",
    question="Which calls are missing from the totals, and why?",
    chart="table",
    hourly=True,
    empty="Every call has a price.",
    note="A price file of yours can name what is missing: see docs/prices.md. Calls without"
    " usage: switch it on where streams are asked for (stream_options.include_usage).",
    columns=(
        text("state"),
        text("reason"),
        text("provider"),
        text("model"),
        text("service"),
        Column(name="calls", unit="count", bar=True),
        Column(name="tokens", unit="tokens"),
    ),
    sql="""
SELECT
    replaceAll(t.cost_state, '_', ' ') AS state,
    t.cost_reason AS reason,
    t.provider AS provider,
    if(t.model = '', '(none)', t.model) AS model,
    t.service AS service,
    sum(t.calls) AS calls,
    sum({{tokens}}) AS tokens
FROM spend_hourly AS t
PREWHERE t.cost_state IN ('unpriced', 'no_usage', 'partial')
WHERE {{hours}}
GROUP BY t.cost_state, t.cost_reason, t.provider, t.model, t.service
HAVING calls != 0
ORDER BY calls DESC, model, service
LIMIT 100
""",
)
