-- Runs whose id begins so: the one of just this id first.
SELECT DISTINCT run_id
FROM runs
WHERE startsWith(run_id, {run_id:String})
ORDER BY length(run_id), run_id
LIMIT 3
