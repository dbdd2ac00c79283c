-- Runs that ended in the range, whatever models they used: what follows a list of columns.
FROM runs AS t FINAL
PREWHERE {{ended_since}}
WHERE $__timeFilter(t.end_time) AND {{runs_who}}
