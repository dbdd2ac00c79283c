-- The calls of runs that passed the threshold, in order: what they had cost after each,
-- against the median of the day on which they began.
WITH
    toDateTime64({since:DateTime64(6, 'UTC')}, 6, 'UTC') AS from_time,
    toDateTime64({now:DateTime64(6, 'UTC')}, 6, 'UTC') AS to_time,
    finished AS (
        SELECT run_id, max(r.task_type) AS task_type, min(r.began_by).3 AS agent, max(r.business_unit) AS business_unit,
            max(r.team) AS team, max(r.user) AS user, max(r.service) AS service, max(r.environment) AS environment,
            min(r.start_time) AS since, max(r.end_time) AS until, sum(r.cost_usd) AS cost,
            if({by_agent:Bool}, agent, '') AS of_agent,
            sum(r.unpriced_calls) + sum(r.partial_calls) > 0 AS lower_bound, sum(r.calls) AS calls
        FROM runs AS r
        GROUP BY run_id
        HAVING task_type != '' AND until >= from_time - toIntervalDay({window_days:UInt32}) AND until < to_time
    ),
    days AS (
        SELECT task_type, of_agent, day, count() AS runs, quantileExactInclusive(0.5)(toFloat64(cost)) AS median
        FROM finished
        ARRAY JOIN arrayMap(d -> toDate(until) + 1 + d, range({window_days:UInt32})) AS day
        WHERE NOT lower_bound AND calls > 0
        GROUP BY task_type, of_agent, day
        HAVING runs >= {min_runs:UInt32}
    ),
    dear AS (
        SELECT f.*, d.runs AS baseline_runs, toDecimal128(d.median, 15) AS median_usd,
            greatest(toDecimal128(median_usd * {factor:Decimal(18, 6)}, 15), toDecimal128({floor_usd:Decimal(18, 6)}, 15)) AS threshold
        FROM finished AS f
        INNER JOIN days AS d ON d.task_type = f.task_type AND d.of_agent = f.of_agent AND d.day = toDate(f.since)
        WHERE f.until >= from_time AND f.cost >= threshold
    ),
    paid AS (
        SELECT run_id, time, sum(ifNull(s.cost_usd, 0)) AS paid
        FROM spans AS s
        WHERE run_id GLOBAL IN (SELECT run_id FROM dear)
        GROUP BY run_id, time
    ),
    told AS (
        SELECT run_id, time AS at, sum(paid) OVER (PARTITION BY run_id ORDER BY time) AS value, '' AS closing
        FROM paid
        UNION ALL
        SELECT run_id, until + toIntervalMinute({idle_minutes:UInt32}) AS at, cost AS value, 'ended' AS closing
        FROM dear
    )
SELECT
    at, t.run_id AS subject, t.run_id AS run_id, task_type, business_unit, team, user, agent, service, environment, since,
    calls, lower_bound, if(lower_bound, 'at least ', '') AS bound, value, value AS cost_usd, median_usd, median_usd AS usual_cost, baseline_runs, threshold,
    if(median_usd > 0, toFloat64(value) / toFloat64(usual_cost), NULL) AS times,
    if(times IS NULL, 'above its limit', concat(printf('%.1f', assumeNotNull(times)), 'x its usual cost')) AS compared,
    concat('The median of ', toString(baseline_runs), ' finished ', task_type, ' runs of the last ', toString({window_days:UInt32}), ' days is') AS usual_words,
    if(threshold > 0 AND value > threshold, toUInt32(floor(log2(toFloat64(value) / toFloat64(threshold)))), 0) AS level,
    dateDiff('second', since, at) AS took_s, closing
FROM told AS t
INNER JOIN dear ON dear.run_id = t.run_id
WHERE value >= threshold * toDecimal32(0.9, 1) OR closing != ''
ORDER BY at, subject
