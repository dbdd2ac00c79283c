"""Which models do which tasks."""

from farthing.dashboards.panel import (
    TASK,
    UNKNOWN_CALLS,
    Column,
    Panel,
    count,
    text,
    usd,
)

PANEL = Panel(
    title="Models by task type",
    question="Which models are used for which tasks?",
    chart="table",
    hourly=True,
    columns=(
        TASK,
        text("model"),
        usd(bar=True),
        count("calls"),
        Column(name="tokens", unit="tokens"),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    if(t.model = '', '(none)', t.model) AS model,
    {{cost}} AS cost_usd,
    sum(t.calls) AS calls,
    sum({{tokens}}) AS tokens,
    sum(t.unpriced_calls + t.partial_calls) AS unpriced_calls
FROM spend_hourly AS t
WHERE {{hours}}
GROUP BY t.task_type, t.model
HAVING sum(t.calls) != 0
ORDER BY cost_usd DESC NULLS LAST, task_type, model
LIMIT 100
""",
)
