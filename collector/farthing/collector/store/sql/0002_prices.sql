-- The price book: every row of every catalogue that was ever in force, so that the row
-- of an old entry can still be shown. The dictionaries hold the newest catalogue.
CREATE TABLE IF NOT EXISTS catalogues {{on_cluster}} (
    catalogue String COMMENT 'SHA-256 of its content',
    loaded_at DateTime64(6, 'UTC')
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

CREATE DICTIONARY IF NOT EXISTS price_rates {{on_cluster}} (
    provider String, model String, ctx UInt8, slot UInt8,
    valid_from DateTime, valid_to DateTime,
    row_id UInt64, kind String, thresholds Array(Int64), rates Array(Int64), notes String, catalogue String
) PRIMARY KEY provider, model, ctx, slot
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT provider, model, ctx, slot, valid_from, valid_to, row_id, kind, thresholds, rates, notes, catalogue FROM {{database}}.prices WHERE catalogue = (SELECT argMax(catalogue, loaded_at) FROM {{database}}.catalogues)'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED()) RANGE(MIN valid_from MAX valid_to) LIFETIME(0);

CREATE DICTIONARY IF NOT EXISTS price_keys {{on_cluster}} (
    provider String, model String, ctx UInt8, slot UInt8, rows UInt64
) PRIMARY KEY provider, model, ctx, slot
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT provider, model, ctx, slot, count() FROM {{database}}.prices WHERE catalogue = (SELECT argMax(catalogue, loaded_at) FROM {{database}}.catalogues) GROUP BY provider, model, ctx, slot'))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0);

CREATE DICTIONARY IF NOT EXISTS price_models {{on_cluster}} (
    provider String, id String, model String, kind String, dated_ok UInt8
) PRIMARY KEY provider, id
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT provider, id, model, kind, dated_ok FROM {{database}}.price_ids WHERE catalogue = (SELECT argMax(catalogue, loaded_at) FROM {{database}}.catalogues)'))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0);

CREATE DICTIONARY IF NOT EXISTS price_fees {{on_cluster}} (
    provider String, model String, tool String, valid_from DateTime, valid_to DateTime, femto_usd Int64
) PRIMARY KEY provider, model, tool
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT provider, model, tool, valid_from, valid_to, femto_usd FROM {{database}}.tool_fees WHERE catalogue = (SELECT argMax(catalogue, loaded_at) FROM {{database}}.catalogues)'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED()) RANGE(MIN valid_from MAX valid_to) LIFETIME(0);
