"""The bill of each business unit, by month."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Column, Panel, count, text, usd

PANEL = Panel(
    title="Chargeback",
    question="What is to be charged to whom, by month?",
    chart="table",
    hourly=True,
    note="Months of the range, UTC. Take whole months for a bill, and export the table as"
    " CSV. Where calls that are not fully priced are counted, the charge is a lower bound.",
    columns=(
        text("month"),
        text("business_unit", "business unit"),
        text("team"),
        text("task_type", "task type"),
        text("provider"),
        usd(bar=True),
        count("calls"),
        Column(name="tokens", unit="tokens"),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    formatDateTime(toStartOfMonth(t.hour), '%Y-%m') AS month,
    if(t.business_unit = '', '(none)', t.business_unit) AS business_unit,
    if(t.team = '', '(none)', t.team) AS team,
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    t.provider AS provider,
    {{cost}} AS cost_usd,
    sum(t.calls) AS calls,
    sum({{tokens}}) AS tokens,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM spend_hourly AS t
WHERE {{hours}}
GROUP BY toStartOfMonth(t.hour), t.business_unit, t.team, t.task_type, t.provider
HAVING sum(t.calls) != 0
ORDER BY month DESC, cost_usd DESC NULLS LAST, business_unit, team, task_type, provider
LIMIT 1000
""",
)
