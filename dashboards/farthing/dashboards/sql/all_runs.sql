-- One line per run: FINAL adds up its parts as they are read, which is less work than grouping them.
(SELECT {{run_fields}} FROM runs AS t FINAL)
