-- The dearest runs that ended in the range.
SELECT t.run_id AS value, value AS label
FROM runs AS t
GROUP BY t.run_id
HAVING max(t.end_time) >= $__fromTime AND max(t.end_time) <= $__toTime
ORDER BY sum(t.cost_usd) DESC, value
LIMIT 500
