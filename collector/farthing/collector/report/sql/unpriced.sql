-- Calls whose cost is not known, or known in part, the commonest reasons first. The
-- roll-up has no reasons: this reads spans, which retention may have shortened.
SELECT cost_state AS state, cost_reason AS reason, provider, model, sum(s.calls) AS calls
FROM spans AS s
WHERE time >= toDateTime({since_s:Int64}, 'UTC') AND time < toDateTime({until_s:Int64}, 'UTC')
    AND cost_state IN ('unpriced', 'partial', 'no_usage')
GROUP BY state, reason, provider, model
HAVING calls != 0
ORDER BY calls DESC, state, reason, provider, model
LIMIT {limit:UInt32}
