"""How much of the spend is not known."""

from farthing.dashboards.panel import Column, Panel, Steps, count

PANEL = Panel(
    title="Calls not fully priced",
    question="How much is missing from the totals?",
    chart="stat",
    hourly=True,
    note="Calls without a price or without usage, and calls of which a part has no price:"
    " every total that contains them is a lower bound. Collector health says why.",
    columns=(
        Column(
            name="share", unit="share", title="of all calls", steps=Steps(0.01, 0.1)
        ),
        count("unpriced_calls", "calls"),
        count("models"),
    ),
    sql="""
SELECT
    unpriced_calls / nullIf(sum(t.calls), 0) AS share,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls,
    uniqExactIf(t.model, t.unpriced_calls + t.partial_calls > 0) AS models
FROM spend_hourly AS t
WHERE {{hours}}
""",
)
