"""Cost of one run, turn by turn."""

from farthing.dashboards.panel import Panel, count, usd

PANEL = Panel(
    title="Cost per turn",
    question="When did it become expensive?",
    chart="turn_bars",
    timeless=True,
    marks="run_marks",
    note="USD of each model call; one without a bar has no known cost.",
    empty="This run has no model calls.",
    columns=(count("turn"), usd(title="cost")),
    sql="""
SELECT turn, cost_usd
FROM {{run_turns}}
ORDER BY turn
LIMIT 2000
""",
)
