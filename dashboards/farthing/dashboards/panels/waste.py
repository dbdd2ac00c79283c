"""What loops cost."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Column, Panel, Steps, count, usd

PANEL = Panel(
    title="Waste",
    question="What went into runs that made no progress?",
    chart="stat",
    note="Confirmed episodes, from their first repetition on; their share is of all"
    " spend in the range.",
    columns=(
        usd(),
        Column(name="share", unit="share", title="of spend", steps=Steps(0.05, 0.15)),
        count("runs"),
        count("steps", "calls in their loops"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH (SELECT sum(t.cost_usd) FROM spend_hourly AS t WHERE {{hours}}) AS spent_usd
SELECT
    sum(w.cost_usd) AS cost_usd,
    if(spent_usd > 0, toFloat64(cost_usd) / toFloat64(spent_usd), NULL) AS share,
    count() AS runs,
    sum(w.steps) AS steps,
    sum(w.unpriced_calls) AS unpriced_calls
FROM {{wasted}} AS w
""",
)
