-- Lines: the entries of one span that say the same of it, but for their measures, summed.
-- A line whose sums are all zero was taken back. A span is in force as told by its line if
-- it has just one, of one call; the entries of a span agree in run and time.
lines AS (
    SELECT
        run_id, time, trace_id, span_id,
        {{line}} AS line,
        {{said}},
        hasAny(any(s.flags), ['input_missing', 'output_missing', 'usage_partial']) AS is_part,
        sum(s.calls) AS n,
        sum(s.errors) AS n_errors,
        sum(s.tool_calls) AS n_tool_calls,
        [{{sums}}] AS tokens,
        sum(s.web_searches) AS searches,
        sum(s.cost_usd) AS old_usd,
        sum(s.tool_fee_usd) AS old_fee_usd,
        sum(s.claimed_usd) AS claim_usd,
        sum(sipHash64(s.load, s.calls)) AS told
    FROM spans AS s
    WHERE time >= fromUnixTimestamp64Micro({{since_us}}, 'UTC')
        AND time < fromUnixTimestamp64Micro({{until_us}}, 'UTC')
        AND s.cost_state != ''
        AND cityHash64(run_id) % {{parts}} = {{part}}
    GROUP BY run_id, time, trace_id, span_id, line
    HAVING n != 0 OR arrayExists(count -> count != 0, tokens) OR searches != 0 OR ifNull(old_usd, 0) != 0
),
netted AS (
    SELECT
        *,
        lower(hex(sipHash128({{way}}))) AS way,
        arrayCount(point -> toUnixTimestamp(time) >= point, {{points}})::UInt16 AS segment,
        count() OVER span AS open_lines,
        sum(n) OVER span AS net_calls
    FROM lines
    WINDOW span AS (PARTITION BY run_id, time, trace_id, span_id)
),
in_force AS (
    SELECT * FROM netted
    WHERE open_lines = 1 AND n = 1 AND {{chosen}}
)
