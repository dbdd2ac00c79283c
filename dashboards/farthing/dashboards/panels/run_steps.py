"""Everything a run did, as a tree of agents and tools."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Agents and tools",
    question="What did it do, call by call?",
    chart="table",
    timeless=True,
    note="In the order in which the calls began, indented by who called whom; at most 2,000."
    " The turn is the model call that caused it, or the call itself.",
    empty="There is no run of this id. Choose one from the table of runs.",
    columns=(
        count("turn"),
        Column(name="began", unit="time"),
        text("what"),
        text("agent"),
        text("step"),
        Column(name="took_s", unit="seconds", title="took"),
        Column(name="prompt_tokens", unit="tokens", title="prompt"),
        Column(name="cached", unit="share"),
        Column(name="output_tokens", unit="tokens", title="output"),
        usd(),
        usd("total_usd", "so far"),
        text("state"),
        text("span_id", "span"),
    ),
    sql="""
WITH
    calls AS (
        SELECT
            min(t.time - toIntervalMicrosecond(t.duration_us)) AS began, t.span_id AS span_id, any(t.parent_span_id) AS parent,
            any(t.kind) AS kind, any(if(t.tool_name != '', t.tool_name, if(t.model != '', t.model, if(t.agent != '', t.agent, t.name)))) AS named,
            any(t.agent) AS agent, any(t.step) AS step, any(t.duration_us) / 1000000 AS took_s,
            sum({{prompt}}) AS prompt, sum(t.cache_read_tokens + t.cache_audio_tokens) AS cached_tokens,
            sum(t.output_tokens + t.reasoning_tokens + t.output_audio_tokens) AS output, sum(t.cost_usd) AS cost_usd, any(t.error_type) AS error_type,
            argMax(t.cost_state, t.ingested_at) AS cost_state, kind = 'model_call' AND sum(t.calls) > 0 AS is_turn
        FROM spans AS t
        WHERE t.run_id IN (${run:singlequote})
        GROUP BY t.trace_id, t.span_id
    ),
    parents AS (SELECT CAST((groupArray(span_id), groupArray(parent)), 'Map(String, String)') AS of FROM calls),
    depths AS (
        SELECT *, arrayFold((path, i) -> if(path.1 = '', path, ((SELECT of FROM parents)[path.1], toUInt8(path.2 + 1))), range(8), (parent, toUInt8(0))).2 AS depth
        FROM calls
    )
SELECT
    nullIf(sum(is_turn) OVER (ORDER BY began, span_id), 0) AS turn,
    began,
    concat(repeat('· ', toUInt8(least(depth, 8))), replaceAll(kind, '_', ' '), ' ', named) AS what,
    agent, step, took_s,
    if(kind IN ('model_call', 'embedding'), prompt, NULL) AS prompt_tokens,
    if(kind = 'model_call', cached_tokens / nullIf(prompt, 0), NULL) AS cached,
    if(kind = 'model_call', output, NULL) AS output_tokens,
    cost_usd,
    sum(ifNull(cost_usd, 0)) OVER (ORDER BY began, span_id) AS total_usd,
    if(error_type != '', error_type, cost_state) AS state,
    span_id
FROM depths
ORDER BY began, span_id
LIMIT 2000
""",
)
