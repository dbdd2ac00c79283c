-- What decode.sql looks prices up in: the newest catalogue. Read anew at every start. What
-- other versions of the program know under a name stays what it was: a dictionary that
-- changes gets a new name.
{{#cluster}}
SYSTEM SYNC REPLICA {{on_cluster}} catalogues;
SYSTEM SYNC REPLICA {{on_cluster}} prices;
SYSTEM SYNC REPLICA {{on_cluster}} price_ids;
SYSTEM SYNC REPLICA {{on_cluster}} tool_fees;
{{/cluster}}
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

-- As migration 0010 makes it, for the view of spend_hourly.
CREATE DICTIONARY IF NOT EXISTS price_bounds {{on_cluster}} (
    row_id UInt64, thresholds Array(Int64)
) PRIMARY KEY row_id
SOURCE(CLICKHOUSE({{login}} DB '{{database}}' QUERY 'SELECT row_id, any(p.thresholds) AS thresholds FROM {{database}}.prices AS p WHERE notEmpty(p.thresholds) GROUP BY row_id'))
LAYOUT(HASHED()) LIFETIME(0);

SYSTEM RELOAD DICTIONARY {{on_cluster}} price_rates;
SYSTEM RELOAD DICTIONARY {{on_cluster}} price_keys;
SYSTEM RELOAD DICTIONARY {{on_cluster}} price_models;
SYSTEM RELOAD DICTIONARY {{on_cluster}} price_fees;
SYSTEM RELOAD DICTIONARY {{on_cluster}} price_bounds;
