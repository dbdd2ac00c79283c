-- Who sent spans lately, and how far each emitter's clock is ahead of the collector's.
SELECT
    scope, scope_version, dialect,
    countIf(entry = 'span') AS spans,
    sum(s.calls) AS calls,
    sumIf(s.calls, cost_state IN ('unpriced', 'no_usage')) AS unpriced_calls,
    max(ingested_at) AS received_at,
    max(dateDiff('second', ingested_at, time)) AS ahead_s
FROM spans AS s
WHERE time >= toDateTime({since_s:Int64}, 'UTC')
GROUP BY scope, scope_version, dialect
ORDER BY spans DESC, scope, scope_version, dialect
