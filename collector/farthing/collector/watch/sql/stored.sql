-- What was found in some runs before.
SELECT * FROM findings FINAL WHERE run_id IN [{{runs}}] AND level != 'withdrawn'
