-- Runs that ended in the range. Of the others no more than the id and the end is read: a hash makes the set of ids small.
(
    SELECT {{run_fields}}
    FROM runs AS t FINAL
    PREWHERE {{ended_since}}
    WHERE $__timeFilter(t.end_time) AND {{runs_chosen}}
)
