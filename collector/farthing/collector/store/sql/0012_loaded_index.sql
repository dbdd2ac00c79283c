-- Parts that were loaded long before a batch are passed over where its entries are looked for. Those of
-- an older ledger learn it when they are merged.
ALTER TABLE spans{{local}} {{on_cluster}} ADD INDEX IF NOT EXISTS loaded ingested_at TYPE minmax GRANULARITY 1;
