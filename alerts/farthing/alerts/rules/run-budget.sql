-- Runs that go on and have used one of the steps of a budget for runs.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    toIntervalMinute({idle_minutes:UInt32}) AS idle,
    declared AS (
        SELECT b.name AS name, b.who AS wanted, toDecimal128(b.limit_usd, 15) AS limit_usd, b.steps AS steps, b.action AS action
        FROM (SELECT arrayJoin(JSONExtract({run_budgets:String}, 'Array(Tuple(name String, who String, limit_usd String, steps Array(UInt32), action String))')) AS b)
    ),
    live AS (
        SELECT run_id, max(r.task_type) AS task_type, max(r.business_unit) AS business_unit, max(r.team) AS team,
            max(r.user) AS user, min(r.began_by).3 AS agent, max(r.service) AS service, max(r.environment) AS environment,
            min(r.start_time) AS since, max(r.end_time) AS until, sum(r.calls) AS calls, sum(r.cost_usd) AS cost,
            sum(r.unpriced_calls) + sum(r.partial_calls) > 0 AS lower_bound
        FROM runs AS r
        WHERE run_id IN (SELECT JSONExtractString(arrayJoin({open:Array(String)}), 2))
            OR run_id GLOBAL IN (SELECT run_id FROM spans WHERE time >= at - idle)
        GROUP BY run_id
    )
SELECT
    concat('[', toJSONString(name), ',', toJSONString(run_id), ']') AS subject, run_id AS shown, run_id, name AS budget, action,
    task_type, business_unit, team, user, agent, service, environment, if(task_type = '', 'run', concat(task_type, ' run')) AS task_type_or_run,
    since, calls, lower_bound, if(lower_bound, 'at least ', '') AS bound, cost AS value, cost AS cost_usd, limit_usd, limit_usd AS whole,
    toDecimal128(limit_usd * arrayMin(steps) / 100, 15) AS threshold,
    toUInt32(greatest(0, toInt64(arrayCount(step -> value * 100 >= limit_usd * step, steps)) - 1)) AS level,
    toFloat64(value) / toFloat64(whole) AS used,
    if(until < at - idle, 'ended', '') AS closing
FROM live CROSS JOIN declared
WHERE (wanted = '*' OR wanted = task_type) AND (subject IN {open:Array(String)} OR closing = '' AND value >= threshold)
