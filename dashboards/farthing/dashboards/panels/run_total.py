"""What one run had cost by each turn."""

from farthing.dashboards.panel import Panel, count, usd

PANEL = Panel(
    title="Cost so far",
    question="What had it cost by each turn?",
    chart="turn_lines",
    timeless=True,
    empty="This run has no model calls.",
    columns=(count("turn"), usd("total_usd", "so far")),
    sql="""
SELECT turn, sum(ifNull(cost_usd, 0)) OVER (ORDER BY turn) AS total_usd
FROM {{run_turns}}
ORDER BY turn
LIMIT 2000
""",
)
