"""What agents cost themselves, and with the agents that they called."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, text, usd

PANEL = Panel(
    title="Direct and inclusive cost of agents",
    question="What does an agent spend itself, and what do the runs cost that it begins?",
    chart="table",
    note="Direct: its own model calls. Inclusive: all calls of the runs whose first agent"
    " it is, those of the agents that it called too. Inclusive costs add up to the total"
    " as direct ones do.",
    columns=(
        text("agent"),
        usd("direct_usd", "direct", bar=True),
        usd("inclusive_usd", "inclusive", bar=True),
        count("runs", "runs begun"),
        usd("per_run_usd", "inclusive per run"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    parts AS (
        SELECT t.run_id AS run_id, t.agent AS agent, min(t.time - toIntervalMicrosecond(t.duration_us)) AS began,
            sum(ifNull(t.cost_usd, 0)) AS cost_usd, sumIf(t.calls, t.cost_state IN ('unpriced', 'no_usage', 'partial')) AS unknown
        FROM spans AS t
        WHERE {{in_time}}
        GROUP BY t.run_id, t.agent
    ),
    begun AS (SELECT argMin(agent, (began, agent = '')) AS agent, sum(cost_usd) AS cost_usd FROM parts GROUP BY run_id)
SELECT
    if(agent = '', '(none)', agent) AS agent,
    sum(direct) AS direct_usd,
    sum(inclusive) AS inclusive_usd,
    sum(runs) AS runs,
    if(runs > 0, toDecimal128(inclusive_usd / runs, 15), NULL) AS per_run_usd,
    sum(unknown) AS unpriced_calls
FROM (
    SELECT p.agent AS agent, sum(p.cost_usd) AS direct, toDecimal128(0, 15) AS inclusive, toUInt64(0) AS runs, sum(p.unknown) AS unknown
    FROM parts AS p GROUP BY p.agent
    UNION ALL
    SELECT b.agent AS agent, toDecimal128(0, 15) AS direct, sum(b.cost_usd) AS inclusive, count() AS runs, toInt64(0) AS unknown
    FROM begun AS b GROUP BY b.agent
)
GROUP BY agent
ORDER BY inclusive_usd DESC, direct_usd DESC, agent
LIMIT 100
""",
)
