-- What else a price hangs on: without these an entry could not be priced again.
ALTER TABLE spans{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS speed LowCardinality(String) COMMENT 'How fast it was served, as the emitter says it' CODEC(ZSTD(1)) AFTER service_tier,
    ADD COLUMN IF NOT EXISTS batch Bool COMMENT 'Served as part of a batch' CODEC(ZSTD(1)) AFTER speed,
    ADD COLUMN IF NOT EXISTS geo LowCardinality(String) COMMENT 'Data zone in which it was served' CODEC(ZSTD(1)) AFTER batch,
    ADD COLUMN IF NOT EXISTS region LowCardinality(String) COMMENT 'Region of the provider, as the emitter says it' CODEC(ZSTD(1)) AFTER geo,
    ADD COLUMN IF NOT EXISTS deployment LowCardinality(String) COMMENT 'Name of the deployment, as the emitter says it' CODEC(ZSTD(1)) AFTER region;

{{#cluster}}
ALTER TABLE spans {{on_cluster}}
    ADD COLUMN IF NOT EXISTS speed LowCardinality(String) AFTER service_tier,
    ADD COLUMN IF NOT EXISTS batch Bool AFTER speed,
    ADD COLUMN IF NOT EXISTS geo LowCardinality(String) AFTER batch,
    ADD COLUMN IF NOT EXISTS region LowCardinality(String) AFTER geo,
    ADD COLUMN IF NOT EXISTS deployment LowCardinality(String) AFTER region;
{{/cluster}}
