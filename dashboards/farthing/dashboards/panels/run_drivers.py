"""Where the money of one run went."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Why it cost that",
    question="Which agents, steps and models of this run cost most?",
    chart="table",
    timeless=True,
    empty="This run has no model calls.",
    columns=(
        text("agent"),
        text("step"),
        text("model"),
        usd(bar=True),
        Column(name="share", unit="share", title="of the run"),
        count("calls"),
        Column(name="prompt_tokens", unit="tokens", title="prompt"),
        Column(name="cache_hit", unit="share", title="from cache"),
        Column(name="output_tokens", unit="tokens", title="output"),
    ),
    sql="""
SELECT
    if(agent = '', '(none)', agent) AS agent,
    if(step = '', '(none)', step) AS step,
    if(model = '', '(none)', model) AS model,
    sum(t.cost_usd) AS cost_usd,
    toFloat64(cost_usd) / nullIf(toFloat64(sum(sum(t.cost_usd)) OVER ()), 0) AS share,
    sum(t.calls) AS calls,
    sum(t.prompt_tokens) AS prompt_tokens,
    sum(t.cache_read_tokens) / nullIf(sum(t.prompt_tokens), 0) AS cache_hit,
    sum(t.output_tokens + t.reasoning_tokens) AS output_tokens
FROM {{run_turns}} AS t
GROUP BY t.agent, t.step, t.model
ORDER BY cost_usd DESC NULLS LAST, agent, step, model
LIMIT 100
""",
)
