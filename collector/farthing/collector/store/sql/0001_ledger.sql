-- The ledger: one row per GenAI span, never edited. A correction is a further row with
-- measures of the opposite sign, so that every total is a plain sum().
CREATE TABLE IF NOT EXISTS spans{{local}} {{on_cluster}} (
    run_id String COMMENT 'This run of the task: farthing.task.id, else conversation, session or trace id' CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') COMMENT 'End of the span: when the call is priced' CODEC(Delta, ZSTD(1)),
    entry LowCardinality(String) DEFAULT 'span' COMMENT 'span: as told by an emitter; correction: reverses or adds to one' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'Why a correction was made' CODEC(ZSTD(1)),
    trace_id String COMMENT 'Hex, 32 digits' CODEC(ZSTD(1)),
    span_id String COMMENT 'Hex, 16 digits' CODEC(ZSTD(1)),
    parent_span_id String COMMENT 'Hex, empty for a root' CODEC(ZSTD(1)),
    name LowCardinality(String) COMMENT 'Name of the span, at most 128 bytes' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'model_call, embedding, tool, agent, retrieval, other' CODEC(ZSTD(1)),
    operation LowCardinality(String) COMMENT 'As the emitter says it' CODEC(ZSTD(1)),
    scope LowCardinality(String) COMMENT 'Instrumentation scope' CODEC(ZSTD(1)),
    scope_version LowCardinality(String) COMMENT 'Its version' CODEC(ZSTD(1)),
    dialect LowCardinality(String) COMMENT 'How its attributes were read' CODEC(ZSTD(1)),
    task_type LowCardinality(String) COMMENT 'Kind of task' CODEC(ZSTD(1)),
    step LowCardinality(String) COMMENT 'Step of the workflow' CODEC(ZSTD(1)),
    business_unit LowCardinality(String) COMMENT 'Who pays' CODEC(ZSTD(1)),
    team LowCardinality(String) COMMENT 'Who works' CODEC(ZSTD(1)),
    user LowCardinality(String) COMMENT 'For whom' CODEC(ZSTD(1)),
    agent LowCardinality(String) COMMENT 'gen_ai.agent.name' CODEC(ZSTD(1)),
    service LowCardinality(String) COMMENT 'service.name' CODEC(ZSTD(1)),
    environment LowCardinality(String) COMMENT 'deployment.environment.name' CODEC(ZSTD(1)),
    conversation_id String COMMENT 'gen_ai.conversation.id or session.id' CODEC(ZSTD(1)),
    provider LowCardinality(String) COMMENT 'Canonical provider, empty if not told' CODEC(ZSTD(1)),
    model LowCardinality(String) COMMENT 'Model of the price list; the emitted name where the list has none' CODEC(ZSTD(1)),
    request_model LowCardinality(String) COMMENT 'As the emitter says it' CODEC(ZSTD(1)),
    response_model LowCardinality(String) COMMENT 'As the provider answered' CODEC(ZSTD(1)),
    host LowCardinality(String) COMMENT 'server.address' CODEC(ZSTD(1)),
    service_tier LowCardinality(String) COMMENT 'Served tier, else the requested one' CODEC(ZSTD(1)),
    response_id String COMMENT 'The provider''s id of the response' CODEC(ZSTD(1)),
    finish_reasons LowCardinality(String) COMMENT 'Joined by commas' CODEC(ZSTD(1)),
    streamed Bool COMMENT 'Whether the answer came in parts' CODEC(ZSTD(1)),
    duration_us Int64 COMMENT 'Microseconds from start to end' CODEC(T64, ZSTD(1)),
    first_chunk_us Nullable(Int64) COMMENT 'Microseconds to the first chunk of a stream' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'error.type; `error` where the span failed without saying how' CODEC(ZSTD(1)),
    tool_name LowCardinality(String) COMMENT 'gen_ai.tool.name' CODEC(ZSTD(1)),
    tool_call_id String COMMENT 'The model''s id of the tool call' CODEC(ZSTD(1)),
    calls Int8 COMMENT 'Measure: 1 for a model call or embedding that was answered' CODEC(ZSTD(1)),
    tool_calls Int8 COMMENT 'Measure: 1 for a tool call' CODEC(ZSTD(1)),
    errors Int8 COMMENT 'Measure: 1 for a span that failed' CODEC(ZSTD(1)),
    input_tokens Int64 COMMENT 'Measure: text and images, not cached' CODEC(T64, ZSTD(1)),
    cache_read_tokens Int64 COMMENT 'Measure: read from the prompt cache' CODEC(T64, ZSTD(1)),
    cache_write_5m_tokens Int64 COMMENT 'Measure: written to the cache for the short lifetime, or for one not told' CODEC(T64, ZSTD(1)),
    cache_write_1h_tokens Int64 COMMENT 'Measure: written to the cache for the long lifetime' CODEC(T64, ZSTD(1)),
    input_audio_tokens Int64 COMMENT 'Measure: audio, not cached' CODEC(T64, ZSTD(1)),
    cache_audio_tokens Int64 COMMENT 'Measure: audio read from the cache' CODEC(T64, ZSTD(1)),
    output_tokens Int64 COMMENT 'Measure: visible text' CODEC(T64, ZSTD(1)),
    reasoning_tokens Int64 COMMENT 'Measure: reasoning' CODEC(T64, ZSTD(1)),
    output_audio_tokens Int64 COMMENT 'Measure: audio' CODEC(T64, ZSTD(1)),
    web_searches Int64 COMMENT 'Measure: searches that the provider ran' CODEC(T64, ZSTD(1)),
    cost_usd Nullable(Decimal(38, 15)) COMMENT 'Measure: what the call cost, tool fees included; NULL where that is not known' CODEC(GCD, ZSTD(1)),
    tool_fee_usd Nullable(Decimal(38, 15)) COMMENT 'Measure: the part of cost_usd that is fees for tools' CODEC(GCD, ZSTD(1)),
    claimed_usd Nullable(Decimal(38, 15)) COMMENT 'Measure: what the emitter says it cost' CODEC(GCD, ZSTD(1)),
    cost_state LowCardinality(String) COMMENT 'priced, free, flat_rate, partial, unpriced, no_usage; empty for what is not a billed call' CODEC(ZSTD(1)),
    cost_reason LowCardinality(String) COMMENT 'Why a call is not fully priced' CODEC(ZSTD(1)),
    price_row UInt64 COMMENT 'Row of prices that was used; 0 for none' CODEC(ZSTD(1)),
    catalogue LowCardinality(String) COMMENT 'Hash of the price list that was in force' CODEC(ZSTD(1)),
    model_match LowCardinality(String) COMMENT 'How the emitted name was matched: exact, alias, dated, mapped' CODEC(ZSTD(1)),
    usage_rule LowCardinality(String) COMMENT 'Whether input included cached tokens, and how that is known' CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)) COMMENT 'What else a reader should know of the numbers' CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) COMMENT 'Other scalar attributes, message content left out' CODEC(ZSTD(1)),
    load LowCardinality(String) COMMENT 'The spool batch that brought it' CODEC(ZSTD(1)),
    decoding LowCardinality(String) COMMENT 'Which decoding read it: a hash of its text' CODEC(ZSTD(1)),
    ingested_at DateTime('UTC') COMMENT 'When it was loaded; retention counts from here' CODEC(Delta, ZSTD(1))
) ENGINE = {{merge_tree}}
PARTITION BY toYYYYMMDD(time)
ORDER BY (run_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}}, ttl_only_drop_parts = 1, min_bytes_for_wide_part = 134217728;

-- One line per run, once its parts are summed: always read it with GROUP BY run_id. What
-- its columns are called, they mean in spans too.
CREATE TABLE IF NOT EXISTS runs{{local}} {{on_cluster}} (
    run_id String,
    task_type SimpleAggregateFunction(max, String),
    business_unit SimpleAggregateFunction(max, String),
    team SimpleAggregateFunction(max, String),
    user SimpleAggregateFunction(max, String),
    service SimpleAggregateFunction(max, String),
    environment SimpleAggregateFunction(max, String),
    agent SimpleAggregateFunction(max, String),
    start_time SimpleAggregateFunction(min, DateTime64(6, 'UTC')) COMMENT 'Start of its first span',
    end_time SimpleAggregateFunction(max, DateTime64(6, 'UTC')) COMMENT 'End of its last span',
    spans SimpleAggregateFunction(sum, Int64) COMMENT 'Spans of all kinds, corrections left out',
    calls SimpleAggregateFunction(sum, Int64),
    unpriced_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls whose cost is not known at all',
    partial_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls of which a part has no price',
    tool_calls SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    input_tokens SimpleAggregateFunction(sum, Int64),
    cache_read_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_5m_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_1h_tokens SimpleAggregateFunction(sum, Int64),
    input_audio_tokens SimpleAggregateFunction(sum, Int64),
    cache_audio_tokens SimpleAggregateFunction(sum, Int64),
    output_tokens SimpleAggregateFunction(sum, Int64),
    reasoning_tokens SimpleAggregateFunction(sum, Int64),
    output_audio_tokens SimpleAggregateFunction(sum, Int64),
    web_searches SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    tool_fee_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    claimed_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    ingested_at SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When the last of it was loaded; retention counts from here'
) ENGINE = {{aggregating_merge_tree}}
ORDER BY run_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}};

-- Spend by hour and by everything that reports ask for.
CREATE TABLE IF NOT EXISTS spend_hourly{{local}} {{on_cluster}} (
    hour DateTime('UTC') COMMENT 'The hour in which calls ended',
    task_type LowCardinality(String),
    business_unit LowCardinality(String),
    team LowCardinality(String),
    user LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    agent LowCardinality(String),
    step LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    cost_state LowCardinality(String),
    calls SimpleAggregateFunction(sum, Int64),
    unpriced_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls whose cost is not known at all',
    partial_calls SimpleAggregateFunction(sum, Int64) COMMENT 'Calls of which a part has no price',
    tool_calls SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    input_tokens SimpleAggregateFunction(sum, Int64),
    cache_read_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_5m_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_1h_tokens SimpleAggregateFunction(sum, Int64),
    input_audio_tokens SimpleAggregateFunction(sum, Int64),
    cache_audio_tokens SimpleAggregateFunction(sum, Int64),
    output_tokens SimpleAggregateFunction(sum, Int64),
    reasoning_tokens SimpleAggregateFunction(sum, Int64),
    output_audio_tokens SimpleAggregateFunction(sum, Int64),
    web_searches SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    tool_fee_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    claimed_usd SimpleAggregateFunction(sum, Decimal(38, 15)),
    ingested_at SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When the last of it was loaded; retention counts from here'
) ENGINE = {{aggregating_merge_tree}}
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}};

CREATE MATERIALIZED VIEW IF NOT EXISTS runs_view {{on_cluster}} TO runs{{local}} AS
SELECT
    run_id,
    max(task_type) AS task_type,
    max(business_unit) AS business_unit,
    max(team) AS team,
    max(user) AS user,
    max(service) AS service,
    max(environment) AS environment,
    max(agent) AS agent,
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

CREATE MATERIALIZED VIEW IF NOT EXISTS spend_hourly_view {{on_cluster}} TO spend_hourly{{local}} AS
SELECT
    toStartOfHour(time) AS hour,
    task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state,
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
GROUP BY hour, task_type, business_unit, team, user, service, environment, agent, step, provider, model, cost_state;

{{#cluster}}
-- On a cluster the plain names are the whole of it, and a run is on one shard.
CREATE TABLE IF NOT EXISTS spans {{on_cluster}} AS spans_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'spans_local', cityHash64(run_id));

CREATE TABLE IF NOT EXISTS runs {{on_cluster}} AS runs_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'runs_local', cityHash64(run_id));

CREATE TABLE IF NOT EXISTS spend_hourly {{on_cluster}} AS spend_hourly_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'spend_hourly_local');
{{/cluster}}
