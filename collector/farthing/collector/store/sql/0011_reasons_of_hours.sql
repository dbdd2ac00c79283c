-- Why the calls of an hour are not fully priced: what is missing from the totals can be told from
-- spend_hourly alone.
ALTER TABLE spend_hourly{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS cost_reason LowCardinality(String) COMMENT 'Why calls are not fully priced' AFTER price_level,
    MODIFY ORDER BY (hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, price_row, price_level, cost_reason);

{{#cluster}}
ALTER TABLE spend_hourly {{on_cluster}} ADD COLUMN IF NOT EXISTS cost_reason LowCardinality(String) AFTER price_level;
{{/cluster}}

-- What is there already goes to its reason, by a line that adds and one that takes away: no sum changes
-- but those by cost_reason. By price_row these lines name none.
INSERT INTO spend_hourly (
    hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, cost_reason,
    calls, unpriced_calls, partial_calls, tool_calls, errors, input_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, input_audio_tokens, cache_audio_tokens, output_tokens, reasoning_tokens, output_audio_tokens,
    web_searches, cost_usd, tool_fee_usd, claimed_usd, ingested_at
)
SETTINGS insert_deduplication_token = 'reasons of spend_hourly', min_insert_block_size_rows = 1000000000000,
    min_insert_block_size_bytes = 0, max_partitions_per_insert_block = 0, distributed_foreground_insert = 1
SELECT
    hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, if(sign > 0, reason, ''),
    COLUMNS('^(calls|errors|web_searches|.*_(calls|tokens|usd))$') APPLY (measure -> measure * sign),
    loaded_at
FROM (
    SELECT
        toStartOfHour(time) AS hour,
        task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, cost_reason AS reason,
        sum(s.calls) AS calls,
        sumIf(s.calls, cost_state IN ('unpriced', 'no_usage')) AS unpriced_calls,
        sumIf(s.calls, cost_state = 'partial') AS partial_calls,
        sum(tool_calls) AS tool_calls,
        sum(errors) AS errors,
        sum(input_tokens) AS input_tokens,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
        sum(cache_write_1h_tokens) AS cache_write_1h_tokens,
        sum(input_audio_tokens) AS input_audio_tokens,
        sum(cache_audio_tokens) AS cache_audio_tokens,
        sum(output_tokens) AS output_tokens,
        sum(reasoning_tokens) AS reasoning_tokens,
        sum(output_audio_tokens) AS output_audio_tokens,
        sum(web_searches) AS web_searches,
        sum(ifNull(cost_usd, 0)) AS cost_usd,
        sum(ifNull(tool_fee_usd, 0)) AS tool_fee_usd,
        sum(ifNull(claimed_usd, 0)) AS claimed_usd,
        max(s.ingested_at) AS loaded_at
    FROM spans AS s
    WHERE s.cost_reason != ''
    GROUP BY hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, reason
)
ARRAY JOIN [1, -1] AS sign
ORDER BY ALL;

ALTER TABLE spend_hourly_view {{on_cluster}} MODIFY QUERY
SELECT
    toStartOfHour(time) AS hour,
    task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, cost_reason, price_row,
    toUInt8(arrayCount(bound -> abs(
        s.input_tokens + s.cache_read_tokens + s.cache_write_5m_tokens + s.cache_write_1h_tokens + s.input_audio_tokens + s.cache_audio_tokens
    ) > bound, dictGet('{{database}}.price_bounds', 'thresholds', s.price_row))) AS price_level,
    sum(s.calls) AS calls,
    sumIf(s.calls, cost_state IN ('unpriced', 'no_usage')) AS unpriced_calls,
    sumIf(s.calls, cost_state = 'partial') AS partial_calls,
    sum(tool_calls) AS tool_calls,
    sum(errors) AS errors,
    sum(input_tokens) AS input_tokens,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(input_audio_tokens) AS input_audio_tokens,
    sum(cache_audio_tokens) AS cache_audio_tokens,
    sum(output_tokens) AS output_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(output_audio_tokens) AS output_audio_tokens,
    sum(web_searches) AS web_searches,
    sum(ifNull(cost_usd, 0)) AS cost_usd,
    sum(ifNull(tool_fee_usd, 0)) AS tool_fee_usd,
    sum(ifNull(claimed_usd, 0)) AS claimed_usd,
    max(ingested_at) AS ingested_at
FROM spans{{local}} AS s
GROUP BY hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, cost_reason, price_row, price_level;

-- A batch is known by the name of a view, but for one that was modified since it was opened. Until it
-- was renamed, a batch that comes again would count twice.
RENAME TABLE spend_hourly_view TO spend_hourly_view_, spend_hourly_view_ TO spend_hourly_view {{on_cluster}};
