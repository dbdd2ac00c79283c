"""What one run costs."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, usd

PANEL = Panel(
    title="Cost per run",
    question="What does one run cost: usually, and when it gets expensive?",
    chart="stat",
    note="Runs that ended in the range and of which some cost is known.",
    columns=(
        usd("median_usd", "median"),
        usd("p95_usd", "p95"),
        count("runs"),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    if(count(t.cost_usd) = 0, NULL, quantileExact(0.5)(assumeNotNull(t.cost_usd))) AS median_usd,
    if(count(t.cost_usd) = 0, NULL, quantileExact(0.95)(assumeNotNull(t.cost_usd))) AS p95_usd,
    count(t.cost_usd) AS runs,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM {{run_lines}} AS t
WHERE t.calls > 0 AND t.cost_usd IS NOT NULL
""",
)
