-- The median of runs that ended lately, against those of the weeks before, the tested ones
-- left out; in log space, the error of a median from the MAD (1.2533 sigma / sqrt n).
WITH
    moments AS (
        SELECT arrayJoin({moments:Array(DateTime64(6, 'UTC'))}) AS at, at - toIntervalHour({tested_hours:UInt32}) AS tested_from
    ),
    finished AS (
        SELECT max(r.task_type) AS task_type, max(r.end_time) AS until, sum(r.cost_usd) AS cost, log(toFloat64(cost)) AS level_of
        FROM runs AS r
        GROUP BY run_id
        HAVING until >= (SELECT min(tested_from) FROM moments) - toIntervalDay({baseline_days:UInt32})
            AND sum(r.unpriced_calls) + sum(r.partial_calls) = 0 AND cost > 0 AND task_type != ''
    ),
    by_task AS (
        SELECT at, tested_from, task_type,
            groupArrayIf(level_of, until >= tested_from) AS tested, groupArrayIf(level_of, until < tested_from) AS before,
            arrayReduce('medianExact', tested) AS now_middle, arrayReduce('medianExact', before) AS middle,
            arrayReduce('medianExact', arrayMap(l -> abs(l - middle), before)) * 1.4826 AS sigma
        FROM finished CROSS JOIN moments
        WHERE until < at - toIntervalMinute(10) AND until >= tested_from - toIntervalDay({baseline_days:UInt32})
        GROUP BY at, tested_from, task_type
    )
SELECT
    at, task_type AS subject, task_type, length(tested) AS runs, length(before) AS baseline_runs,
    toDecimal128(exp(now_middle), 15) AS median_usd, toDecimal128(exp(middle), 15) AS usual_usd,
    exp(now_middle - middle) AS value,
    greatest(
        toFloat64({least_factor:Decimal(18, 6)}),
        exp(toFloat64({deviations:Decimal(18, 6)}) * 1.2533 * greatest(sigma, 0.05) * sqrt(1 / length(tested) + 1 / length(before)))
    ) AS threshold,
    sqrt(threshold) AS clear,
    tested_from AS since
FROM by_task
WHERE runs >= {min_tested_runs:UInt32} AND baseline_runs >= {min_runs:UInt32}
    AND (subject IN {open:Array(String)} OR value >= threshold)
ORDER BY at
