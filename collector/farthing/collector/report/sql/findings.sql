-- Episodes without progress in one run, the earliest first.
SELECT *
FROM findings FINAL
WHERE run_id = {run_id:String} AND level != 'withdrawn'
ORDER BY first_time, kind, agent, episode
