-- How many spans the ledger has of the runs of some batches.
SELECT run_id, sum(r.spans) AS spans
FROM runs AS r
WHERE run_id GLOBAL IN (SELECT run_id FROM spans WHERE {{which}})
GROUP BY run_id
