"""Spend by business unit."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Link, Panel, text, usd

PANEL = Panel(
    title="Spend by business unit",
    question="Who owes what?",
    chart="bars",
    hourly=True,
    columns=(
        text("business_unit", "business unit", link=Link("cost", "business_unit")),
        usd(),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    if(t.business_unit = '', '(none)', t.business_unit) AS business_unit,
    {{cost}} AS cost_usd,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM spend_hourly AS t
WHERE {{hours}}
GROUP BY t.business_unit
HAVING sum(t.calls) != 0
ORDER BY cost_usd DESC NULLS LAST, business_unit
LIMIT 30
""",
)
