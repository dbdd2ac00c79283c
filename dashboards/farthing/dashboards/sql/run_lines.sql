-- Runs that ended in the range.
(SELECT * FROM {{all_runs}} AS t WHERE $__timeFilter(t.end_time) AND {{runs_chosen}})
