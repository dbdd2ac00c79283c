"""Who tells, and what is missing from it."""

from farthing.dashboards.panel import Column, Panel, Steps, count, text

PANEL = Panel(
    title="Emitters",
    question="Which instrumentations tell, and what do they leave out?",
    chart="table",
    hourly=True,
    note="Shares are of calls (of tool calls, for fingerprints). Without a task type or a"
    " business unit a call is on nobody's bill; without fingerprints loops are not seen.",
    empty="Nothing arrived in this range. `farthing doctor` says what to look at.",
    columns=(
        text("service"),
        text("scope", "instrumentation"),
        text("version"),
        text("dialect"),
        count("spans"),
        count("calls"),
        Column(
            name="no_usage", unit="share", title="without usage", steps=Steps(0.01, 0.1)
        ),
        Column(
            name="no_task",
            unit="share",
            title="without task type",
            steps=Steps(0.02, 0.5),
        ),
        Column(
            name="no_unit",
            unit="share",
            title="without business unit",
            steps=Steps(0.02, 0.5),
        ),
        Column(
            name="no_fingerprint",
            unit="share",
            title="tools without fingerprint",
            steps=Steps(0.02, 0.5),
        ),
        count("clock_ahead", "spans from the future"),
    ),
    sql="""
SELECT
    if(t.service = '', '(none)', t.service) AS service,
    t.scope AS scope,
    t.scope_version AS version,
    t.dialect AS dialect,
    sum(t.spans) AS spans,
    sum(t.calls) AS calls,
    sum(t.no_usage_calls) / nullIf(sum(t.calls), 0) AS no_usage,
    sumIf(t.calls, t.task_type = '') / nullIf(sum(t.calls), 0) AS no_task,
    sumIf(t.calls, t.business_unit = '') / nullIf(sum(t.calls), 0) AS no_unit,
    1 - sum(t.fingerprinted_tools) / nullIf(sumIf(t.spans, t.kind = 'tool'), 0) AS no_fingerprint,
    sum(t.clock_ahead) AS clock_ahead
FROM telemetry_hourly AS t
WHERE {{hours}}
GROUP BY t.service, t.scope, t.scope_version, t.dialect
ORDER BY spans DESC, service, scope, version, dialect
LIMIT 100
""",
)
