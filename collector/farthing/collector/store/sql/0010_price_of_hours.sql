-- By which row of the price list, and at which level of it, the calls of an hour were priced: what
-- their cached tokens saved can be told from spend_hourly alone.
CREATE DICTIONARY IF NOT EXISTS price_bounds {{on_cluster}} (
    row_id UInt64, thresholds Array(Int64)
) PRIMARY KEY row_id
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT row_id, any(p.thresholds) AS thresholds FROM {{database}}.prices AS p WHERE notEmpty(p.thresholds) GROUP BY row_id'))
LAYOUT(HASHED()) LIFETIME(0);

SYSTEM RELOAD DICTIONARY {{on_cluster}} price_bounds;

ALTER TABLE spend_hourly{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS price_row UInt64 COMMENT 'Row of prices that was used; 0 for none' AFTER cost_state,
    ADD COLUMN IF NOT EXISTS price_level UInt8 COMMENT 'Level of its rates, by the size of the prompt: 0 for the first' AFTER price_row,
    MODIFY ORDER BY (hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, price_row, price_level);

-- The agent of a run, in a form that every client can read.
ALTER TABLE runs{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS began_by SimpleAggregateFunction(min, Tuple(DateTime64(6, 'UTC'), Int64, String))
    DEFAULT (toDateTime64('2299-12-31 00:00:00', 6, 'UTC'), 0, '')
    COMMENT 'Of the span that began first, the longest of several, among those with an agent: start, microseconds with a minus, gen_ai.agent.name' AFTER environment;

{{#cluster}}
ALTER TABLE spend_hourly {{on_cluster}}
    ADD COLUMN IF NOT EXISTS price_row UInt64 AFTER cost_state,
    ADD COLUMN IF NOT EXISTS price_level UInt8 AFTER price_row;

ALTER TABLE runs {{on_cluster}}
    ADD COLUMN IF NOT EXISTS began_by SimpleAggregateFunction(min, Tuple(DateTime64(6, 'UTC'), Int64, String))
    DEFAULT (toDateTime64('2299-12-31 00:00:00', 6, 'UTC'), 0, '') AFTER environment;
{{/cluster}}

-- What is there already goes to its row of prices, by a line that adds and one that takes away: no
-- sum changes but those by price_row. Of teams, users, services and steps these lines name one.
INSERT INTO spend_hourly
SETTINGS insert_deduplication_token = 'split spend_hourly', min_insert_block_size_rows = 1000000000000,
    min_insert_block_size_bytes = 0, max_partitions_per_insert_block = 0, distributed_foreground_insert = 1
SELECT
    hour, task_type, business_unit, whose.1, whose.2, whose.3, environment, agent, whose.4, provider, model, cost_state,
    if(sign > 0, row, 0), if(sign > 0, level, 0),
    COLUMNS('^(calls|errors|web_searches|.*_(calls|tokens|usd))$') APPLY (measure -> measure * sign),
    loaded_at
FROM (
    SELECT
        toStartOfHour(time) AS hour,
        task_type, business_unit, environment, agent, provider, model, cost_state, price_row AS row,
        toUInt8(arrayCount(bound -> abs(
            s.input_tokens + s.cache_read_tokens + s.cache_write_5m_tokens + s.cache_write_1h_tokens + s.input_audio_tokens + s.cache_audio_tokens
        ) > bound, dictGet('{{database}}.price_bounds', 'thresholds', s.price_row))) AS level,
        any((team, user, service, step)) AS whose,
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
    WHERE s.price_row != 0
    GROUP BY hour, task_type, business_unit, environment, agent, provider, model, cost_state, row, level
)
ARRAY JOIN [1, -1] AS sign
ORDER BY ALL;

ALTER TABLE spend_hourly_view {{on_cluster}} MODIFY QUERY
SELECT
    toStartOfHour(time) AS hour,
    task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, price_row,
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
GROUP BY hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state, price_row, price_level;

ALTER TABLE runs_first_agent_view {{on_cluster}} MODIFY QUERY
SELECT
    run_id,
    max(task_type) AS task_type,
    max(business_unit) AS business_unit,
    max(team) AS team,
    max(user) AS user,
    max(service) AS service,
    max(environment) AS environment,
    min((if(agent = '', toDateTime64('2299-12-31 00:00:00', 6, 'UTC'), time - toIntervalMicrosecond(duration_us)), -duration_us, agent::String)) AS began_by,
    min(time - toIntervalMicrosecond(duration_us)) AS start_time,
    max(time) AS end_time,
    countIf(entry = 'span') AS spans,
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
GROUP BY run_id;

-- A batch is known by the names of views, but for one that was modified since it was opened. Until it
-- was renamed, a batch that comes again would count twice.
RENAME TABLE spend_hourly_view TO spend_hourly_view_, spend_hourly_view_ TO spend_hourly_view {{on_cluster}};

RENAME TABLE runs_first_agent_view TO runs_first_agent_view_, runs_first_agent_view_ TO runs_first_agent_view {{on_cluster}};

-- What runs are there already, after what comes: from their spans, and of those whose spans are gone
-- from what is left of them, where an agent that is told twice is still the first.
INSERT INTO runs (run_id, began_by, start_time, ingested_at)
SELECT run_id, min(first), min(first.1), max(loaded_at)
FROM (
    SELECT run_id, (start_time, 0::Int64, agent::String) AS first, ingested_at AS loaded_at
    FROM run_agents
    WHERE agent != ''
    UNION ALL
    SELECT run_id, (time - toIntervalMicrosecond(duration_us), -duration_us, agent::String), ingested_at
    FROM spans
    WHERE agent != '' AND cityHash64(run_id) GLOBAL IN (SELECT cityHash64(run_id) FROM runs)
)
GROUP BY run_id
SETTINGS distributed_foreground_insert = 1;

{{#cluster}}
ALTER TABLE runs {{on_cluster}} DROP COLUMN IF EXISTS first_agent;
{{/cluster}}

ALTER TABLE runs{{local}} {{on_cluster}} DROP COLUMN IF EXISTS first_agent;
