-- How many spans the ledger has of some runs.
SELECT run_id, sum(r.spans) AS spans FROM runs AS r WHERE run_id IN [{{runs}}] GROUP BY run_id
