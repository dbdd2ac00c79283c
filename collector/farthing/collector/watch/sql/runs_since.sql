SELECT run_id FROM runs WHERE length(run_id) <= {id_most:UInt32} GROUP BY run_id
HAVING max(end_time) >= toDateTime({since_s:Int64}, 'UTC')
ORDER BY run_id
