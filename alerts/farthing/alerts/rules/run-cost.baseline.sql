-- What finished runs of each kind cost, as far as all of it is known: the median, and the
-- median where one of the dearer half is left out.
SELECT
    task_type,
    of_agent,
    length(costs) AS runs,
    toString((costs[intDiv(runs + 1, 2)] + costs[intDiv(runs, 2) + 1]) / 2) AS median,
    toString((costs[intDiv(runs, 2)] + costs[intDiv(runs - 1, 2) + 1]) / 2) AS without_one,
    toInt64(toUnixTimestamp({now:DateTime64(6, 'UTC')})) - {idle_minutes:UInt32} * 60 AS until_s
FROM (
    SELECT task_type, if({by_agent:Bool}, agent, '') AS of_agent, arraySort(groupArray(cost)) AS costs
    FROM (
        SELECT max(r.task_type) AS task_type, min(r.began_by).3 AS agent, sum(r.cost_usd) AS cost
        FROM runs AS r
        GROUP BY run_id
        HAVING max(r.end_time) >= {now:DateTime64(6, 'UTC')} - toIntervalDay({window_days:UInt32})
            AND max(r.end_time) < {now:DateTime64(6, 'UTC')} - toIntervalMinute({idle_minutes:UInt32})
            AND sum(r.unpriced_calls) + sum(r.partial_calls) = 0 AND sum(r.calls) > 0
    )
    WHERE task_type != ''
    GROUP BY task_type, of_agent
)
WHERE runs >= {min_runs:UInt32}
