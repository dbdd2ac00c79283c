-- Episodes without progress since a moment, the dearest first.
SELECT
    run_id, task_type, agent, kind, level, pattern, period, why, ongoing, first_time, at_time, last_time,
    first_trace_id, first_span_id, last_trace_id, last_span_id, span_ids, steps, calls, tokens, cost_usd, unpriced_calls
FROM findings FINAL
WHERE level != 'withdrawn' AND at_time >= toDateTime({since_s:Int64}, 'UTC')
ORDER BY level = 'confirmed' DESC, cost_usd DESC, run_id, kind, agent, episode
LIMIT {limit:UInt32}
