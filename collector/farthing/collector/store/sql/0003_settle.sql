-- One call is counted once: what is needed to find the spans that tell of the same one.
ALTER TABLE spans{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS owner_trace_id String COMMENT 'Of a correction: trace of the span that owns the call' CODEC(ZSTD(1)) AFTER reason,
    ADD COLUMN IF NOT EXISTS owner_span_id String COMMENT 'Of a correction: the span that owns the call' CODEC(ZSTD(1)) AFTER owner_trace_id;

-- A narrow line per entry of a model or tool call. What can make two of them the same
-- call is a number that they share: the hash of a span, of its parent, of what the
-- provider or the model called the answer, of what calls without a name have in common.
-- Hashes are of 40 bits: what they find is compared in full, and 32 would find too much.
CREATE TABLE IF NOT EXISTS tellings{{local}} {{on_cluster}} (
    load LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') CODEC(Delta, LZ4),
    took_us Int64 CODEC(T64, LZ4),
    start_time DateTime64(6, 'UTC') ALIAS time - toIntervalMicrosecond(took_us),
    entry LowCardinality(String) CODEC(ZSTD(1)),
    scope LowCardinality(String) CODEC(ZSTD(1)),
    run_id String CODEC(LZ4) COMMENT 'With the time, where the entry is found in spans',
    is_tool Bool CODEC(ZSTD(1)),
    span UInt64 CODEC(T64, LZ4),
    parent UInt64 COMMENT '0 for a root' CODEC(LZ4),
    answer UInt64 COMMENT 'Of the response id, or of the trace and the id of the tool call; 0 if not told' CODEC(T64, LZ4),
    likeness UInt64 COMMENT 'Of a root: service, model, prompt tokens; of a tool call: trace and tool' CODEC(LZ4),
    ingested_at DateTime('UTC') CODEC(Delta, LZ4),
    INDEX times (time - toIntervalMicrosecond(took_us), time) TYPE minmax GRANULARITY 1
) ENGINE = {{merge_tree}}
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (load, time)
TTL ingested_at + toIntervalDay(1)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}}, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS tellings_view {{on_cluster}} TO tellings{{local}} AS
SELECT
    load, time, duration_us AS took_us, entry, scope, run_id,
    kind = 'tool' AS is_tool,
    bitShiftRight(cityHash64(is_tool, trace_id, span_id), 24) AS span,
    if(parent_span_id = '', 0, bitShiftRight(cityHash64(is_tool, trace_id, parent_span_id), 24)) AS parent,
    bitShiftRight(multiIf(
        is_tool AND tool_call_id != '', cityHash64('tool', trace_id, tool_call_id),
        NOT is_tool AND response_id != '', cityHash64('answer', response_id),
        0
    ), 24) AS answer,
    bitShiftRight(multiIf(
        is_tool, cityHash64('named', trace_id, tool_name),
        parent_span_id = '', cityHash64(
            service, environment, model,
            abs(input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens)
        ),
        0
    ), 24) AS likeness,
    ingested_at
FROM spans{{local}}
WHERE kind IN ('model_call', 'embedding', 'tool');

{{#cluster}}
ALTER TABLE spans {{on_cluster}}
    ADD COLUMN IF NOT EXISTS owner_trace_id String AFTER reason,
    ADD COLUMN IF NOT EXISTS owner_span_id String AFTER owner_trace_id;

CREATE TABLE IF NOT EXISTS tellings {{on_cluster}} AS tellings_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'tellings_local', rand());
{{/cluster}}
