-- What doctor asks of any ledger: its schema, its price book, its clock.
SELECT
    (SELECT max(version) FROM migrations) AS migration,
    (SELECT argMax(catalogue, loaded_at) FROM catalogues) AS catalogue,
    (SELECT max(loaded_at) FROM catalogues) AS catalogue_since,
    now64(3, 'UTC') AS now,
    version() AS engine
