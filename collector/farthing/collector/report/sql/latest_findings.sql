-- Episodes without progress since a moment, the dearest first.
SELECT *
FROM findings FINAL
WHERE level != 'withdrawn' AND at_time >= toDateTime({since_s:Int64}, 'UTC')
ORDER BY level = 'confirmed' DESC, cost_usd DESC, run_id, kind, agent, episode
LIMIT {limit:UInt32}
