-- What was found in some runs before.
SELECT * EXCEPT written_at REPLACE toString(cost_usd) AS cost_usd
FROM findings FINAL
WHERE run_id IN ({{runs}}) AND level != 'withdrawn'
