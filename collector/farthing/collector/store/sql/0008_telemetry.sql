-- What emitters told, by hour and by all that is few: no person, no step, no run. Spans as they
-- came, corrections left out; money is in spend_hourly.
CREATE TABLE IF NOT EXISTS telemetry_hourly{{local}} {{on_cluster}} (
    hour DateTime('UTC') COMMENT 'The hour in which spans ended' CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) CODEC(ZSTD(1)),
    task_type LowCardinality(String) CODEC(ZSTD(1)),
    business_unit LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    agent LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    scope LowCardinality(String) CODEC(ZSTD(1)),
    scope_version LowCardinality(String) CODEC(ZSTD(1)),
    dialect LowCardinality(String) CODEC(ZSTD(1)),
    provider LowCardinality(String) CODEC(ZSTD(1)),
    model LowCardinality(String) CODEC(ZSTD(1)),
    tool_name LowCardinality(String) CODEC(ZSTD(1)),
    spans SimpleAggregateFunction(sum, Int64) COMMENT 'Spans, as told by emitters' CODEC(T64, ZSTD(1)),
    calls SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    no_usage_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls without usage' CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    failed_tools SimpleAggregateFunction(sum, Int64) COMMENT 'Tool calls of which the span or the fingerprint of the result tells an error' CODEC(T64, ZSTD(1)),
    fingerprinted_tools SimpleAggregateFunction(sum, Int64) COMMENT 'Tool calls with a fingerprint of their arguments' CODEC(T64, ZSTD(1)),
    results SimpleAggregateFunction(sum, Int64) COMMENT 'Tool calls whose result has a known length' CODEC(T64, ZSTD(1)),
    result_chars SimpleAggregateFunction(sum, Int64) COMMENT 'Characters of these results' CODEC(T64, ZSTD(1)),
    longest_result_chars SimpleAggregateFunction(max, Int64) COMMENT 'Characters of the longest of them' CODEC(T64, ZSTD(1)),
    prefixes SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) COMMENT 'Hashes of the fingerprints of system prompt and tool definitions' CODEC(ZSTD(1)),
    clock_ahead SimpleAggregateFunction(sum, Int64) COMMENT 'Spans that ended more than a minute after they were loaded' CODEC(T64, ZSTD(1)),
    ingested_at SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When the last of it was loaded; retention counts from here' CODEC(Delta, ZSTD(1))
) ENGINE = {{aggregating_merge_tree}}
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, kind, task_type, business_unit, environment, agent, service, scope, scope_version, dialect, provider, model, tool_name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}};

-- What agents did in a run, a line each.
CREATE TABLE IF NOT EXISTS run_agents{{local}} {{on_cluster}} (
    run_id String CODEC(ZSTD(1)),
    agent LowCardinality(String) CODEC(ZSTD(1)),
    start_time SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'Start of its first span' CODEC(ZSTD(1)),
    finished_time SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'End of the last agent''s span without a parent that has no error; 1970 for none' CODEC(ZSTD(1)),
    failed_time SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'The same of those with an error' CODEC(ZSTD(1)),
    calls SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    unpriced_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls whose cost is not known at all' CODEC(T64, ZSTD(1)),
    partial_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls of which a part has no price' CODEC(T64, ZSTD(1)),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 15)) CODEC(ZSTD(1)),
    models SimpleAggregateFunction(groupUniqArrayArray, Array(String)) COMMENT 'Models of its spans; empty for spans without one' CODEC(ZSTD(1)),
    tools SimpleAggregateFunction(groupUniqArrayArray, Array(String)) COMMENT 'Tools that it called' CODEC(ZSTD(1)),
    ingested_at SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When the last of it was loaded; retention counts from here' CODEC(ZSTD(1))
) ENGINE = {{aggregating_merge_tree}}
ORDER BY (run_id, agent)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}};

{{#cluster}}
CREATE TABLE IF NOT EXISTS telemetry_hourly {{on_cluster}} AS telemetry_hourly_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'telemetry_hourly_local', rand());

CREATE TABLE IF NOT EXISTS run_agents {{on_cluster}} AS run_agents_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'run_agents_local', cityHash64(run_id));
{{/cluster}}

{{#filled}}
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry_hourly_view {{on_cluster}} TO telemetry_hourly{{local}} AS
SELECT
    toStartOfHour(time) AS hour,
    kind, task_type, business_unit, environment, agent, service, scope, scope_version, dialect, provider, model, tool_name,
    count() AS spans,
    sum(s.calls) AS calls,
    sumIf(s.calls, cost_state = 'no_usage') AS no_usage_calls,
    sum(s.errors) AS errors,
    countIf(kind = 'tool' AND (error_type != '' OR attributes['farthing.fingerprint.error'] = 'true')) AS failed_tools,
    countIf(kind = 'tool' AND attributes['farthing.fingerprint.args_hash'] != '') AS fingerprinted_tools,
    count(toInt64OrNull(attributes['farthing.fingerprint.result_len']) AS chars) AS results,
    sum(ifNull(chars, 0)) AS result_chars,
    max(ifNull(chars, 0)) AS longest_result_chars,
    groupUniqArrayIf(cityHash64(attributes['farthing.fingerprint.prefix_hash'] AS prefix), kind = 'model_call' AND prefix != '') AS prefixes,
    countIf(s.time > s.ingested_at + toIntervalMinute(1)) AS clock_ahead,
    max(s.ingested_at) AS ingested_at
FROM spans{{local}} AS s
WHERE entry = 'span'
GROUP BY hour, kind, task_type, business_unit, environment, agent, service, scope, scope_version, dialect, provider, model, tool_name;

CREATE MATERIALIZED VIEW IF NOT EXISTS run_agents_view {{on_cluster}} TO run_agents{{local}} AS
SELECT
    run_id, agent,
    min(time - toIntervalMicrosecond(duration_us)) AS start_time,
    maxIf(time, entry = 'span' AND kind = 'agent' AND parent_span_id = '' AND error_type = '') AS finished_time,
    maxIf(time, entry = 'span' AND kind = 'agent' AND parent_span_id = '' AND error_type != '') AS failed_time,
    sum(s.calls) AS calls,
    sumIf(s.calls, cost_state IN ('unpriced', 'no_usage')) AS unpriced_calls,
    sumIf(s.calls, cost_state = 'partial') AS partial_calls,
    sum(ifNull(s.cost_usd, 0)) AS cost_usd,
    groupUniqArray(model) AS models,
    groupUniqArrayIf(tool_name, entry = 'span' AND kind = 'tool') AS tools,
    max(s.ingested_at) AS ingested_at
FROM spans{{local}} AS s
GROUP BY run_id, agent;
{{/filled}}
