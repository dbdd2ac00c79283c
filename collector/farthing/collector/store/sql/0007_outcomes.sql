-- What runs achieved, told by spans of the operation `outcome`: to set against their cost.
CREATE TABLE IF NOT EXISTS outcomes{{local}} {{on_cluster}} (
    run_id String COMMENT 'The run that achieved it' CODEC(ZSTD(1)),
    time DateTime64(6, 'UTC') COMMENT 'When it was achieved' CODEC(Delta, ZSTD(1)),
    outcome LowCardinality(String) COMMENT 'What was achieved, as the agent says it' CODEC(ZSTD(1)),
    value Nullable(Decimal(38, 15)) COMMENT 'How much of it, or its worth, in the agent''s own unit; NULL where it says none' CODEC(ZSTD(1)),
    task_type LowCardinality(String) CODEC(ZSTD(1)),
    step LowCardinality(String) CODEC(ZSTD(1)),
    business_unit LowCardinality(String) CODEC(ZSTD(1)),
    team LowCardinality(String) CODEC(ZSTD(1)),
    user LowCardinality(String) CODEC(ZSTD(1)),
    agent LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String COMMENT 'The span that told it' CODEC(ZSTD(1)),
    ingested_at DateTime('UTC') COMMENT 'When it was loaded' CODEC(Delta, ZSTD(1))
) ENGINE = {{merge_tree}}
ORDER BY (run_id, time)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {{deduplicated}};

CREATE MATERIALIZED VIEW IF NOT EXISTS outcomes_view {{on_cluster}} TO outcomes{{local}} AS
SELECT
    run_id, time,
    attributes['farthing.outcome.name'] AS outcome,
    toDecimal128OrNull(attributes['farthing.outcome.value'], 15) AS value,
    task_type, step, business_unit, team, user, agent, service, environment,
    trace_id, span_id, ingested_at
FROM spans{{local}}
WHERE operation = 'outcome' AND entry = 'span' AND attributes['farthing.outcome.name'] != '';

{{#cluster}}
CREATE TABLE IF NOT EXISTS outcomes {{on_cluster}} AS outcomes_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'outcomes_local', cityHash64(run_id));
{{/cluster}}
