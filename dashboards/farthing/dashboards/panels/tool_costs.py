"""What the results of tools cost in later turns."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Cost of tool results",
    question="What do the results of tools cost, each time a later call reads them again?",
    chart="table",
    note="An estimate. Between two model calls of an agent the prompt grows by what its"
    " tools returned and it said itself; that growth is shared among the tools called in"
    " between, and every later call of the agent in the run reads it again, at what that"
    " run paid per prompt and output token on average. Calls whose cost is not known are"
    " left out.",
    empty="No tool call in this range.",
    columns=(
        text("tool"),
        count("calls"),
        Column(name="tokens_per_call", unit="tokens", title="tokens per call"),
        Column(name="read_again", unit="ratio", title="times read"),
        Column(name="tokens_read", unit="tokens", title="tokens read in all"),
        usd("induced_usd", "induced cost", bar=True),
        usd("per_call_usd", "per call"),
    ),
    sql="""
WITH
    turns AS (
        SELECT
            t.run_id AS run_id, t.agent AS agent, t.time AS at, {{prompt}} AS prompt,
            leadInFrame({{prompt}}) OVER later AS next_prompt,
            leadInFrame(t.time) OVER later AS next_at,
            count() OVER (PARTITION BY t.run_id, t.agent ORDER BY t.time ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS readers,
            toFloat64(sum(t.cost_usd) OVER (PARTITION BY t.run_id, t.agent)) / nullIf(sum({{tokens}}) OVER (PARTITION BY t.run_id, t.agent), 0) AS token_usd
        FROM spans AS t
        WHERE $__timeFilter(t.time) AND t.kind = 'model_call' AND t.entry = 'span' AND t.cost_usd IS NOT NULL AND t.calls = 1 AND {{who_acts}}
        WINDOW later AS (PARTITION BY t.run_id, t.agent ORDER BY t.time ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
    ),
    results AS (
        SELECT
            t.tool_name AS tool, u.run_id AS run_id, u.agent AS agent, u.at AS at,
            greatest(u.next_prompt - u.prompt, 0) AS grown, u.readers AS readers, u.token_usd AS token_usd,
            count() OVER (PARTITION BY u.run_id, u.agent, u.at) AS among
        FROM spans AS t
        ASOF INNER JOIN turns AS u ON u.run_id = t.run_id AND u.agent = t.agent AND u.at <= t.time
        WHERE {{tool_spans}} AND t.time <= u.next_at
    )
SELECT
    if(tool = '', '(none)', tool) AS tool,
    count() AS calls,
    toInt64(sum(grown / among) / calls) AS tokens_per_call,
    sum(grown / among * readers) / nullIf(sum(grown / among), 0) AS read_again,
    toInt64(sum(grown / among * readers)) AS tokens_read,
    toDecimal128(sum(grown / among * readers * ifNull(token_usd, 0)), 6) AS induced_usd,
    toDecimal128(induced_usd / calls, 6) AS per_call_usd
FROM results
GROUP BY results.tool
ORDER BY induced_usd DESC, tool
LIMIT 100
""",
)
