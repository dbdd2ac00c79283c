"""The runs of the range, to choose one."""

from farthing.dashboards.panel import (
    RUN,
    TASK,
    UNKNOWN_CALLS,
    Column,
    Panel,
    Steps,
    count,
    text,
    usd,
)

PANEL = Panel(
    title="Runs",
    question="Which runs were there?",
    chart="table",
    note="Runs that ended in the range, the newest first, at most 500.",
    empty="No run ended in this range. Take a longer one, or fewer filters.",
    limit="the newest 500",
    columns=(
        RUN,
        TASK,
        text("agent"),
        text("business_unit", "business unit"),
        Column(name="end_time", unit="time", title="ended"),
        Column(name="took_s", unit="seconds", title="took"),
        count("calls"),
        count("tool_calls", "tool calls"),
        Column(name="errors", unit="count", steps=Steps(1)),
        Column(name="tokens", unit="tokens"),
        usd(bar=True),
        UNKNOWN_CALLS,
    ),
    sql="""
SELECT
    t.run_id AS run_id,
    if(t.task_type = '', '(none)', t.task_type) AS task_type,
    t.agent AS agent,
    if(t.business_unit = '', '(none)', t.business_unit) AS business_unit,
    t.end_time AS end_time,
    dateDiff('millisecond', t.start_time, t.end_time) / 1000 AS took_s,
    t.calls AS calls,
    t.tool_calls AS tool_calls,
    t.errors AS errors,
    t.tokens AS tokens,
    t.cost_usd AS cost_usd,
    t.unpriced_calls + t.partial_calls AS unpriced_calls
FROM {{run_lines}} AS t
ORDER BY t.end_time DESC, t.run_id
LIMIT 500
""",
)
