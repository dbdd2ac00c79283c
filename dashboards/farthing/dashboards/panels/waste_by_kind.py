"""Waste over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, usd

PANEL = Panel(
    title="Waste over time",
    question="When was money burnt without progress?",
    chart="time_bars",
    note="USD per bar, by what was wrong, at the time it was confirmed. Two episodes of"
    " one run at the same moment both count here.",
    empty="Nothing was wasted in this range, as far as it is seen.",
    columns=(TIME, SERIES, usd()),
    sql="""
SELECT
    $__timeInterval(t.at_time) AS time,
    replaceAll(t.pattern, '_', ' ') AS series,
    sum(t.cost_usd) AS cost_usd
FROM findings AS t FINAL
WHERE t.level = 'confirmed' AND $__timeFilter(t.at_time) AND {{who_acts}}
GROUP BY time, series
ORDER BY time, series
""",
)
