"""Spend by user and team."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, text, usd

PANEL = Panel(
    title="Spend by team and user",
    question="For whom is most spent?",
    chart="table",
    hourly=True,
    columns=(
        text("user"),
        text("team"),
        text("business_unit", "business unit"),
        usd(bar=True),
        count("calls"),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    if(t.user = '', '(none)', t.user) AS user,
    if(t.team = '', '(none)', t.team) AS team,
    if(t.business_unit = '', '(none)', t.business_unit) AS business_unit,
    {{cost}} AS cost_usd,
    sum(t.calls) AS calls,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM spend_hourly AS t
WHERE {{hours}}
GROUP BY t.user, t.team, t.business_unit
HAVING sum(t.calls) != 0
ORDER BY cost_usd DESC NULLS LAST, user, team, business_unit
LIMIT 50
""",
)
