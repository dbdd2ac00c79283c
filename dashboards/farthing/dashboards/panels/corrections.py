"""Entries that correct others."""

from farthing.dashboards.panel import Panel, count, text, usd

PANEL = Panel(
    title="Corrections",
    question="What was counted once that was told twice, and what was priced again?",
    chart="table",
    note="A correction is a further entry with measures of the opposite sign, so every sum is"
    " right as it stands.",
    empty="Nothing had to be corrected.",
    columns=(
        text("reason"),
        text("scope", "instrumentation"),
        count("entries"),
        count("calls"),
        usd(),
    ),
    sql="""
SELECT
    replaceAll(t.reason, '_', ' ') AS reason,
    t.scope AS scope,
    count() AS entries,
    sum(t.calls) AS calls,
    sum(t.cost_usd) AS cost_usd
FROM spans AS t
WHERE {{in_time}} AND t.entry = 'correction'
GROUP BY t.reason, t.scope
ORDER BY entries DESC, reason, scope
LIMIT 100
""",
)
