-- For each change the entry that takes the old one back and the one that stands for it
-- now: what an entry of its line says, but for its measures and its price;
-- attributes are looked up at the span.
WITH
{{lines}},
{{priced}}
SELECT s.* EXCEPT (line) REPLACE (
    toLowCardinality('correction') AS entry,
    toLowCardinality('repriced') AS reason,
    '' AS owner_trace_id,
    '' AS owner_span_id,
    (if(sign > 0, c.new_provider, s.provider))::LowCardinality(String) AS provider,
    (if(sign > 0, c.new_model, s.model))::LowCardinality(String) AS model,
    (if(sign > 0, c.new_match, s.model_match))::LowCardinality(String) AS model_match,
    sign AS calls,
    (sign * c.n_errors)::Int8 AS errors,
    (sign * c.n_tool_calls)::Int8 AS tool_calls,
    {{measures}},
    sign * c.searches AS web_searches,
    if(sign > 0, c.new_usd, -c.old_usd)::Nullable(Decimal(38, 15)) AS cost_usd,
    if(sign > 0, c.new_fee_usd, -c.old_fee_usd)::Nullable(Decimal(38, 15)) AS tool_fee_usd,
    (sign * c.claim_usd)::Nullable(Decimal(38, 15)) AS claimed_usd,
    (if(sign > 0, c.new_state, s.cost_state))::LowCardinality(String) AS cost_state,
    (if(sign > 0, c.new_reason, s.cost_reason))::LowCardinality(String) AS cost_reason,
    if(sign > 0, c.new_row, s.price_row)::UInt64 AS price_row,
    (if(sign < 0, s.catalogue, if(c.new_row = 0, '', {{catalogue}})))::LowCardinality(String) AS catalogue,
    if(sign < 0, s.flags, arrayConcat(
        arrayFilter(flag -> flag NOT IN {{flags_of_price}} AND NOT startsWith(flag, {{factor_word}}), s.flags),
        if(c.is_counted, c.new_flags, []),
        if(c.claim_wins, ['provider_reported'], [])
    ))::Array(LowCardinality(String)) AS flags,
    CAST(map(), 'Map(LowCardinality(String), String)') AS attributes,
    toLowCardinality({{load}}) AS load,
    now('UTC') AS ingested_at
)
FROM (
    SELECT *, {{line}} AS line
    FROM spans AS s
    WHERE time >= fromUnixTimestamp64Micro({{since_us}}, 'UTC')
        AND time < fromUnixTimestamp64Micro({{until_us}}, 'UTC')
        AND calls = 1 AND cost_state != ''
        AND cityHash64(run_id) % {{parts}} = {{part}}
    LIMIT 1 BY run_id, time, trace_id, span_id, line
) AS s
INNER JOIN changed AS c USING (run_id, time, trace_id, span_id, line)
ARRAY JOIN [-1, 1]::Array(Int8) AS sign
