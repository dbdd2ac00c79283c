"""What the results of tools cost in later turns."""

from farthing.dashboards.panel import Column, Panel, count, text, usd

PANEL = Panel(
    title="Cost of tool results",
    question="What do the results of tools cost, each time a later call reads them again?",
    chart="table",
    hourly=True,
    note="An estimate. Between two model calls of an agent the prompt grows by what its"
    " tools returned and it said itself; that growth is shared among the tools called in"
    " between, and every later call of the agent in the run reads it again, at what that"
    " run paid per prompt and output token on average. Calls whose cost is not known are"
    " left out. Tokens and cost per call are those of the newest 1,000 runs of the range,"
    " and hold for all calls of it.",
    empty="No tool call in this range.",
    limit="tokens and cost of the newest 1,000 runs",
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
    {{newest}},
    counted AS (SELECT t.tool_name AS tool, sum(t.spans) AS calls FROM telemetry_hourly AS t WHERE {{tool_hours}} GROUP BY tool),
    of_agents AS (
        SELECT
            arraySort(groupArray((t.time, t.kind = 'tool', {{prompt}}, t.tool_name))) AS events,
            toFloat64(sumIf(t.cost_usd, t.kind = 'model_call')) / nullIf(sumIf({{tokens}}, t.kind = 'model_call'), 0) AS token_usd
        FROM spans AS t
        PREWHERE t.run_id IN (SELECT arrayJoin(newest.2)) AND t.time >= newest.1 AND t.time <= $__toTime
        WHERE t.entry = 'span'
            AND (t.kind = 'tool' OR (t.kind = 'model_call' AND t.cost_usd IS NOT NULL AND t.calls = 1)) AND {{who_acts}}
        GROUP BY t.run_id, t.agent
    ),
    -- A turn is a model call and the calls of tools up to the next one; nobody reads what the last ones return.
    turns AS (
        SELECT token_usd, arrayPopFront(turn) AS calls, readers, if(readers = 0, 0, greatest(next[1].3 - turn[1].3, 0)) / length(calls) AS grown
        FROM (SELECT token_usd, arrayFilter(turn -> NOT turn[1].2, arraySplit(event -> NOT event.2, events)) AS all FROM of_agents WHERE notEmpty(all))
        ARRAY JOIN all AS turn, arrayPushBack(arrayPopFront(all), all[-1]) AS next, arrayMap(i -> toInt64(length(all) - i), arrayEnumerate(all)) AS readers
    ),
    estimated AS (
        SELECT
            call.4 AS tool, count() AS calls, if(countIf(readers > 0) = 0, NULL, toInt64(sum(grown) / greatest(countIf(readers > 0), 1))) AS tokens, sum(grown * readers) / nullIf(sum(grown), 0) AS times,
            sum(grown * readers) / calls AS tokens_read, sum(grown * readers * ifNull(token_usd, 0)) / calls AS usd
        FROM turns ARRAY JOIN turns.calls AS call
        GROUP BY tool
    )
SELECT
    if(c.tool = '', '(none)', c.tool) AS tool,
    c.calls AS calls,
    e.tokens AS tokens_per_call,
    e.times AS read_again,
    if(e.calls = 0, NULL, toInt64(c.calls * e.tokens_read)) AS tokens_read,
    if(e.calls = 0, NULL, toDecimal128(c.calls * e.usd, 6)) AS induced_usd,
    if(e.calls = 0, NULL, toDecimal128(e.usd, 6)) AS per_call_usd
FROM counted AS c
LEFT JOIN estimated AS e ON e.tool = c.tool
ORDER BY induced_usd DESC NULLS LAST, tool
LIMIT 100
""",
)
