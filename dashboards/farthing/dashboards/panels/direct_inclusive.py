"""What agents cost themselves, and with the agents that they called."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, count, text, usd

PANEL = Panel(
    title="Direct and inclusive cost of agents",
    question="What does an agent spend itself, and what do the runs cost that it begins?",
    chart="table",
    note="Direct: its own model calls. Inclusive: all calls of the runs whose first agent"
    " it is, those of the agents that it called too. Inclusive costs add up to the total"
    " as direct ones do. Runs that ended in the range.",
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
        SELECT t.run_id AS run_id, t.agent AS agent, t.start_time AS began, t.cost_usd AS cost_usd, t.unpriced_calls + t.partial_calls AS unknown
        FROM run_agents AS t FINAL
        PREWHERE cityHash64(t.run_id) GLOBAL IN (SELECT cityHash64(r.run_id) FROM {{run_lines}} AS r)
    ),
    begun AS (
        SELECT argMin(agent, (agent = '', began)) AS first, sum(parts.cost_usd) AS run_usd, groupArray((agent, parts.cost_usd, unknown)) AS agents
        FROM parts GROUP BY run_id
    )
SELECT
    if(part.1 = '', '(none)', part.1) AS agent,
    sum(part.2) AS direct_usd,
    sum(part.3) AS inclusive_usd,
    sum(part.4) AS runs,
    if(runs > 0, toDecimal128(inclusive_usd / runs, 15), NULL) AS per_run_usd,
    sum(part.5) AS unpriced_calls
FROM begun
ARRAY JOIN arrayConcat(
    arrayMap(a -> (a.1, a.2, toDecimal128(0, 15), toUInt64(0), a.3), agents),
    [(first, toDecimal128(0, 15), run_usd, toUInt64(1), toInt64(0))]
) AS part
GROUP BY part.1
ORDER BY inclusive_usd DESC, direct_usd DESC, agent
LIMIT 100
""",
)
