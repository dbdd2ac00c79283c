-- For a table with the alias t: lines of runs that were not over when the range began.
cityHash64(t.run_id) GLOBAL IN (SELECT cityHash64(e.run_id) FROM runs AS e WHERE e.end_time >= $__fromTime)
