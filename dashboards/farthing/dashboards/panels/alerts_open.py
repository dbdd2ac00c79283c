"""Alerts that are open."""

from farthing.dashboards.panel import RUN, Column, Panel, count, text, usd

PANEL = Panel(
    title="Open alerts",
    question="What needs somebody now?",
    chart="table",
    timeless=True,
    note="Alerts that were not resolved. Value, peak and threshold are in the alert's own"
    " unit; cost so far is what the trouble has cost, where that is known.",
    empty="No alert is open.",
    columns=(
        Column(name="fired_at", unit="time", title="fired"),
        text("severity"),
        text("state"),
        text("rule"),
        text("title", "alert"),
        RUN,
        text("owner"),
        text("value"),
        text("threshold"),
        usd("cost_usd", "cost so far"),
        usd("burn_usd_per_hour", "per hour"),
        count("escalations"),
    ),
    sql="""
WITH {{in_words}} AS in_words
SELECT
    t.fired_at AS fired_at,
    t.severity AS severity,
    if(t.muted != '', concat(t.state, ', muted: ', t.muted), t.state) AS state,
    t.rule AS rule,
    t.title AS title,
    t.run_id AS run_id,
    t.owner AS owner,
    concat(if(t.lower_bound, '≥ ', ''), in_words(t.value, t.unit)) AS value,
    in_words(nullIf(t.threshold, 0), t.unit) AS threshold,
    t.cost_usd AS cost_usd,
    t.burn_usd_per_hour AS burn_usd_per_hour,
    t.level AS escalations
FROM alert_instances AS t FINAL
WHERE t.state != 'resolved' AND {{who_acts}}
ORDER BY indexOf(['critical', 'error', 'warning', 'info'], toString(t.severity)), t.fired_at DESC, t.id
LIMIT 200
""",
)
