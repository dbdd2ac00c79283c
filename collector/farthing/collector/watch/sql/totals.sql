-- How many entries of some runs sql/entries.sql has.
SELECT run_id, count() AS entries
FROM spans
WHERE run_id IN ({{runs}}) AND kind IN ('model_call', 'tool')
GROUP BY run_id
