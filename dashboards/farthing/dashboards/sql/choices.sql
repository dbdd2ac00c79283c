-- What can be chosen of one tag of the ledger.
SELECT DISTINCT if(t.tag = '', '(none)', t.tag) AS value, value AS label
FROM telemetry_hourly AS t
WHERE t.hour >= toStartOfHour(toDateTime($__fromTime, 'UTC')) AND t.hour <= $__toTime
ORDER BY value
LIMIT 1000
