"""Episodes without progress."""

from farthing.dashboards.panel import RUN, Column, Panel, count, text, usd

PANEL = Panel(
    title="Loops and runs without progress",
    question="Which runs make no progress, why, and what does that burn?",
    chart="table",
    note="Per hour: what it cost by how long it took, from a minute on.",
    empty="Nothing is looping. Tool fingerprints are needed to see loops: see Collector"
    " health.",
    columns=(
        Column(name="at_time", unit="time", title="seen"),
        RUN,
        text("task_type", "task type"),
        text("agent"),
        text("kind"),
        text("level"),
        text("why"),
        Column(name="goes_on", unit="flag", title="goes on"),
        count("steps", "repetitions"),
        Column(name="tokens", unit="tokens"),
        usd(bar=True),
        usd("usd_per_hour", "per hour"),
        count("unpriced_calls", "calls not fully priced"),
    ),
    sql="""
SELECT
    t.at_time AS at_time,
    t.run_id AS run_id,
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    t.agent AS agent,
    replaceAll(t.kind, '_', ' ') AS kind,
    t.level AS level,
    t.why AS why,
    t.ongoing AND t.last_time > $__toTime - toIntervalMinute(10) AS goes_on,
    t.steps AS steps,
    t.tokens AS tokens,
    t.cost_usd AS cost_usd,
    if(dateDiff('second', t.first_time, t.last_time) >= 60,
        toDecimal128(t.cost_usd * 3600 / dateDiff('second', t.first_time, t.last_time), 15), NULL) AS usd_per_hour,
    t.unpriced_calls AS unpriced_calls
FROM findings AS t FINAL
WHERE t.level != 'withdrawn' AND $__timeFilter(t.at_time) AND {{who_acts}}
ORDER BY goes_on DESC, t.level = 'confirmed' DESC, t.cost_usd DESC, t.run_id, t.kind, t.agent, t.episode
LIMIT 200
""",
)
