-- Calls whose cost is not known, or known in part, the commonest reasons first.
SELECT cost_state AS state, cost_reason AS reason, provider, model, sum(h.calls) AS calls
FROM spend_hourly AS h
PREWHERE h.cost_state IN ('unpriced', 'partial', 'no_usage')
WHERE h.hour >= toStartOfHour(toDateTime({since_s:Int64}, 'UTC')) AND h.hour < toDateTime({until_s:Int64}, 'UTC')
GROUP BY state, reason, provider, model
HAVING calls != 0
ORDER BY calls DESC, state, reason, provider, model
LIMIT {limit:UInt32}
