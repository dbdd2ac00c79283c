"""What one run costs."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, usd

PANEL = Panel(
    title="Cost per run",
    question="What does one run cost: usually, and when it gets expensive?",
    chart="stat",
    note="Runs that ended in the range; what is not known of a run counts nothing.",
    columns=(
        usd("median_usd", "median"),
        usd("p95_usd", "p95"),
        count("runs"),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    if(count(t.cost_usd) = 0, NULL, quantileExact(0.5)(ifNull(t.cost_usd, 0))) AS median_usd,
    if(count(t.cost_usd) = 0, NULL, quantileExact(0.95)(ifNull(t.cost_usd, 0))) AS p95_usd,
    count() AS runs,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM {{run_lines}} AS t
WHERE t.calls > 0
""",
)
