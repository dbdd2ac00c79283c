-- The price book: every row of every catalogue that was ever in force, so that the row
-- of an old entry can still be shown. The dictionaries (dictionaries.sql) hold the newest.
CREATE TABLE IF NOT EXISTS catalogues {{on_cluster}} (
    catalogue String COMMENT 'SHA-256 of its content',
    loaded_at DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = {{replacing_merge_tree}} ORDER BY (loaded_at, catalogue);

CREATE TABLE IF NOT EXISTS prices {{on_cluster}} (
    catalogue LowCardinality(String),
    row_id UInt64,
    provider LowCardinality(String),
    model String,
    ctx UInt8 COMMENT '0 standard, 1 batch, 2 flex, 3 priority, 4 fast tier, 5 default, 6 fast speed, 7 ultrafast',
    slot UInt8 COMMENT 'Time of day; 0 = always',
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC') COMMENT 'Last second in force',
    thresholds Array(Int64) COMMENT 'Prompt tokens above which the next level holds',
    rates Array(Int64) COMMENT 'femto-USD per token, nine per level; -1 = no rate',
    kind LowCardinality(String) COMMENT 'priced, free, flat_rate',
    currency LowCardinality(String),
    origin LowCardinality(String) COMMENT 'base, overlay, user',
    notes String,
    source String,
    checked_on String
) ENGINE = {{replacing_merge_tree}} ORDER BY (catalogue, provider, model, ctx, slot, valid_from);

CREATE TABLE IF NOT EXISTS price_ids {{on_cluster}} (
    catalogue LowCardinality(String),
    provider LowCardinality(String),
    id String COMMENT 'A model reference in normal form',
    model String,
    kind LowCardinality(String) COMMENT 'exact, alias, user',
    dated_ok UInt8 COMMENT 'Whether the id plus a date is the same model'
) ENGINE = {{replacing_merge_tree}} ORDER BY (catalogue, provider, id);

CREATE TABLE IF NOT EXISTS tool_fees {{on_cluster}} (
    catalogue LowCardinality(String),
    provider LowCardinality(String),
    model String COMMENT 'Empty: the default of the provider',
    tool LowCardinality(String),
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC') COMMENT 'Last second in force',
    femto_usd Int64 COMMENT 'Per use',
    source String,
    checked_on String
) ENGINE = {{replacing_merge_tree}} ORDER BY (catalogue, provider, model, tool, valid_from);
