"""Alerts over time."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Alerts over time",
    question="When did alerts fire, and how severe were they?",
    chart="time_bars",
    empty="No alert fired in this range.",
    columns=(TIME, SERIES, count("alerts")),
    hues={"critical": "red", "error": "orange", "warning": "amber", "info": "grey"},
    sql="""
SELECT
    $__timeInterval(t.fired_at) AS time,
    t.severity AS series,
    count() AS alerts
FROM alert_instances AS t FINAL
WHERE $__timeFilter(t.fired_at) AND {{who_acts}}
GROUP BY time, series
ORDER BY time, series
""",
)
