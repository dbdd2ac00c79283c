"""Size of the ledger."""

from farthing.dashboards.panel import Column, Panel, count, text

PANEL = Panel(
    title="Size of the ledger",
    question="How large is the ledger, and how far back does it go?",
    chart="table",
    timeless=True,
    columns=(
        text("name", "table"),
        Column(name="bytes", unit="bytes", title="on disk", bar=True),
        count("rows"),
        count("parts"),
    ),
    sql="""
SELECT
    p.table AS name,
    sum(p.bytes_on_disk) AS bytes,
    sum(p.rows) AS rows,
    count() AS parts
FROM system.parts AS p
WHERE p.active AND p.database = currentDatabase()
GROUP BY p.table
ORDER BY bytes DESC, name
""",
)
