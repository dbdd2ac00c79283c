-- Calls by what is known of their cost, and why.
SELECT cost_state AS state, sum(calls) AS calls
FROM spend_hourly
WHERE hour >= toDateTime({since_s:Int64}, 'UTC') AND hour < toDateTime({until_s:Int64}, 'UTC') AND cost_state != ''
GROUP BY state
HAVING calls != 0
ORDER BY state
