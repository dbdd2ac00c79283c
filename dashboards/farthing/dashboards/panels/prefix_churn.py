"""How often prompts begin differently."""

from farthing.dashboards.panel import SERIES, TIME, Column, Panel

PANEL = Panel(
    title="Different prompt beginnings",
    question="What broke the prefix: how many different system prompts and tool lists does"
    " an agent send?",
    chart="time_lines",
    hourly=True,
    note="Different fingerprints of system prompt and tool definitions, per interval. One"
    " per agent is best: each new one is a cache that is written anew. The 8 agents with most.",
    empty="No fingerprints of prompts yet: they come from Farthing's instrumentation.",
    columns=(TIME, SERIES, Column(name="prefixes", unit="count", title="beginnings")),
    sql="""
WITH top AS (
    SELECT t.agent AS agent FROM telemetry_hourly AS t
    WHERE {{hours}} AND notEmpty(t.prefixes)
    GROUP BY t.agent ORDER BY uniqExactArray(t.prefixes) DESC, t.agent LIMIT 8
)
SELECT
    $__timeInterval(t.hour) AS time,
    if(t.agent = '', '(none)', t.agent) AS series,
    uniqExactArray(t.prefixes) AS prefixes
FROM telemetry_hourly AS t
WHERE {{hours}} AND notEmpty(t.prefixes) AND t.agent IN (SELECT agent FROM top)
GROUP BY time, t.agent
ORDER BY time, series
""",
)
