-- Runs that ended in the range, the newest if there are many: when the first of them began, and which they are.
(SELECT (min(start_time), groupArray(run_id)) FROM (
    SELECT t.start_time AS start_time, t.run_id AS run_id {{runs_ended}} ORDER BY t.end_time DESC, t.run_id LIMIT 1000
)) AS newest
