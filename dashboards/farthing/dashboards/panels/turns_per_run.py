"""How many turns runs take."""

from farthing.dashboards.panel import Panel, count, text, usd

PANEL = Panel(
    title="Turns per run",
    question="How long do runs get, and what do the long ones cost?",
    chart="bars",
    note="Model calls per run, in classes.",
    columns=(text("turns", "model calls"), count("runs"), usd()),
    sql="""
SELECT
    multiIf(t.calls <= 4, '1 to 4', t.calls <= 9, '5 to 9', t.calls <= 19, '10 to 19', t.calls <= 49, '20 to 49', t.calls <= 99, '50 to 99', '100 and more') AS turns,
    count() AS runs,
    sum(t.cost_usd) AS cost_usd
FROM {{run_lines}} AS t
WHERE t.calls > 0
GROUP BY turns
ORDER BY min(t.calls)
""",
)
