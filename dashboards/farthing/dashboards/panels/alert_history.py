"""Alerts that were."""

from farthing.dashboards.panel import RUN, Column, Panel, text, usd

PANEL = Panel(
    title="Alerts",
    question="What fired, how long did it last, and why did it end?",
    chart="table",
    note="The newest first, at most 200.",
    empty="No alert fired in this range.",
    limit="the newest 200",
    columns=(
        Column(name="fired_at", unit="time", title="fired"),
        Column(name="resolved_at", unit="time", title="resolved"),
        text("severity"),
        text("rule"),
        text("title", "alert"),
        RUN,
        text("why_resolved", "ended because"),
        text("acknowledged_by", "acknowledged by"),
        text("channels"),
        usd("cost_usd", "cost"),
    ),
    sql="""
SELECT
    t.fired_at AS fired_at,
    t.resolved_at AS resolved_at,
    t.severity AS severity,
    t.rule AS rule,
    t.title AS title,
    t.run_id AS run_id,
    t.why_resolved AS why_resolved,
    t.acknowledged_by AS acknowledged_by,
    arrayStringConcat(t.channels, ', ') AS channels,
    t.cost_usd AS cost_usd
FROM alert_instances AS t FINAL
WHERE $__timeFilter(t.fired_at) AND {{who_acts}}
ORDER BY t.fired_at DESC, t.id
LIMIT 200
""",
)
