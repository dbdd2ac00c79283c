"""Rules, and whether their alerts are worth having."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Rules",
    question="Which rules fire, how long does it last, and are they worth it?",
    chart="table",
    note="Short: over within 5 minutes. Untouched: nobody acknowledged it before it was over."
    " A rule of which most are both is noise.",
    empty="No alert fired in this range.",
    columns=(
        text("rule"),
        Column(name="alerts", unit="count", bar=True),
        count("open"),
        count("subjects", "different subjects"),
        Column(name="median_s", unit="seconds", title="median duration"),
        count("short"),
        count("untouched"),
        usd("cost_usd", "cost of the trouble"),
        Column(name="last", unit="time", title="last fired"),
    ),
    sql="""
SELECT
    t.rule AS rule,
    count() AS alerts,
    countIf(t.state != 'resolved') AS open,
    uniqExact(t.subject) AS subjects,
    if(count(t.resolved_at) = 0, NULL, toFloat64(quantileExactIf(0.5)(dateDiff('second', t.fired_at, ifNull(t.resolved_at, t.fired_at)), t.resolved_at IS NOT NULL))) AS median_s,
    countIf(t.resolved_at IS NOT NULL AND dateDiff('second', t.fired_at, ifNull(t.resolved_at, t.fired_at)) < 300) AS short,
    countIf(t.resolved_at IS NOT NULL AND t.acknowledged_by = '') AS untouched,
    sum(t.cost_usd) AS cost_usd,
    max(t.fired_at) AS last
FROM alert_instances AS t FINAL
WHERE $__timeFilter(t.fired_at) AND {{who_acts}}
GROUP BY t.rule
ORDER BY alerts DESC, rule
LIMIT 100
""",
)
