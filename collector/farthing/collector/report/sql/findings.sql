-- Episodes without progress in one run, the earliest first.
SELECT
    run_id, task_type, agent, kind, level, pattern, period, why, ongoing, first_time, at_time, last_time,
    first_trace_id, first_span_id, last_trace_id, last_span_id, span_ids, steps, calls, tokens, cost_usd, unpriced_calls
FROM findings FINAL
WHERE run_id = {run_id:String} AND level != 'withdrawn'
ORDER BY first_time, kind, agent, episode
