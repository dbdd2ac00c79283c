"""Cache hit rate over time."""

from farthing.dashboards.panel import SERIES, TIME, Column, Panel

PANEL = Panel(
    title="Cache hit rate",
    question="What share of the prompt comes from the cache, by agent?",
    chart="time_lines",
    hourly=True,
    note="Prompt tokens read from a cache, of all prompt tokens; the 5 agents with most.",
    columns=(TIME, SERIES, Column(name="hit_rate", unit="share", title="from cache")),
    sql="""
WITH top AS (
    SELECT t.agent AS agent FROM spend_hourly AS t WHERE {{hours}} GROUP BY t.agent ORDER BY sum({{prompt}}) DESC, t.agent LIMIT 5
)
SELECT
    $__timeInterval(t.hour) AS time,
    if(t.agent = '', '(none)', t.agent) AS series,
    sum(t.cache_read_tokens + t.cache_audio_tokens) / sum({{prompt}}) AS hit_rate
FROM spend_hourly AS t
WHERE {{hours}} AND t.agent IN (SELECT agent FROM top)
GROUP BY time, t.agent
HAVING sum({{prompt}}) > 0
ORDER BY time, series
""",
)
