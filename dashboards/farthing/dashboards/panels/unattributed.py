"""Spend that nobody is named for."""

from farthing.dashboards.panel import Column, Panel, Steps, usd

PANEL = Panel(
    title="Spend without a name",
    question="How much spend has no business unit or no task type?",
    chart="stat",
    hourly=True,
    note="Set farthing.business_unit and farthing.task.type in OTEL_RESOURCE_ATTRIBUTES.",
    columns=(
        Column(name="share", unit="share", title="of spend", steps=Steps(0.02, 0.1)),
        usd("no_unit_usd", "without a business unit"),
        usd("no_task_usd", "without a task type"),
    ),
    sql="""
SELECT
    toFloat64(sumIf(t.cost_usd, t.business_unit = '' OR t.task_type = '')) / nullIf(toFloat64(sum(t.cost_usd)), 0) AS share,
    sumIf(t.cost_usd, t.business_unit = '') AS no_unit_usd,
    sumIf(t.cost_usd, t.task_type = '') AS no_task_usd
FROM spend_hourly AS t
WHERE {{hours}}
""",
)
