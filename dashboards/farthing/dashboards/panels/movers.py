"""What changed most against the range before."""

from farthing.dashboards.panel import Column, Panel, Steps, text, usd

PANEL = Panel(
    title="What changed",
    question="Which tasks, agents and models cost more, or less, than in the range before?",
    chart="table",
    hourly=True,
    note="Against as many hours just before; where the ledger does not reach back so far,"
    " the later half of what it has against the earlier. The 15 largest"
    " differences. Costs that are not known are not in it.",
    columns=(
        text("task_type", "task type"),
        text("agent"),
        text("model"),
        usd("before_usd", "before"),
        usd("cost_usd", "now"),
        usd("difference_usd", "difference", bar=True),
        Column(name="change", unit="share", title="change", steps=Steps(0.2, 0.5)),
        text("periods"),
    ),
    preface="periods",
    sql="""
WITH
    (SELECT min(o.hour) FROM spend_hourly AS o) AS oldest,
    greatest(
        toStartOfHour(toDateTime($__fromTime, 'UTC')),
        toStartOfHour(toDateTime($__toTime - intDiv($__toTime - oldest, 2), 'UTC')) + toIntervalHour(1)
    ) AS since,
    {{hours_before}} AS before,
    (moment -> formatDateTime(toDateTime(moment, 'UTC'), '%Y-%m-%d %H:%i')) AS written
SELECT
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    if(t.agent = '', '(none)', t.agent) AS agent,
    if(t.model = '', '(none)', t.model) AS model,
    sumIf(t.cost_usd, t.hour < since) AS before_usd,
    sumIf(t.cost_usd, t.hour >= since) AS cost_usd,
    cost_usd - before_usd AS difference_usd,
    if(before_usd > 0, toFloat64(difference_usd) / toFloat64(before_usd), NULL) AS change,
    concat(written(since), ' to ', written($__toTime), ' against ', written(before), ' to ', written(since), ' UTC') AS periods
FROM spend_hourly AS t
WHERE t.hour >= before AND t.hour <= $__toTime AND {{chosen}}
GROUP BY t.task_type, t.agent, t.model
HAVING difference_usd != 0
ORDER BY abs(difference_usd) DESC, task_type, agent, model
LIMIT 15
""",
)
