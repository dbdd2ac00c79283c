-- What runs spent; each call of unknown cost counts like the run's mean call.
SELECT run_id,
    toDecimal128(sum(cost_usd) + sum(unpriced_calls) * (sum(cost_usd) / greatest(sum(calls) - sum(unpriced_calls), 1)), 15) AS pessimistic_usd
FROM runs
WHERE run_id IN {run_ids:Array(String)}
GROUP BY run_id
