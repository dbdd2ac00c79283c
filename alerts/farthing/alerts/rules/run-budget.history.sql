-- The calls of runs that used a step of a budget for runs, in order: spent after each.
WITH
    declared AS (
        SELECT b.name AS name, b.who AS wanted, toDecimal128(b.limit_usd, 15) AS limit_usd, b.steps AS steps, b.action AS action
        FROM (SELECT arrayJoin(JSONExtract({run_budgets:String}, 'Array(Tuple(name String, who String, limit_usd String, steps Array(UInt32), action String))')) AS b)
    ),
    finished AS (
        SELECT run_id, max(r.task_type) AS task_type, max(r.business_unit) AS business_unit, max(r.team) AS team,
            max(r.user) AS user, min(r.began_by).3 AS agent, max(r.service) AS service, max(r.environment) AS environment,
            min(r.start_time) AS since, max(r.end_time) AS until, sum(r.calls) AS calls, sum(r.cost_usd) AS cost,
            sum(r.unpriced_calls) + sum(r.partial_calls) > 0 AS lower_bound
        FROM runs AS r
        GROUP BY run_id
        HAVING until >= {since:DateTime64(6, 'UTC')} AND until <= {now:DateTime64(6, 'UTC')}
    ),
    dear AS (
        SELECT *, toDecimal128(limit_usd * arrayMin(steps) / 100, 15) AS threshold
        FROM finished CROSS JOIN declared
        WHERE (wanted = '*' OR wanted = task_type) AND cost >= threshold
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
        SELECT DISTINCT run_id, until + toIntervalMinute({idle_minutes:UInt32}) AS at, cost AS value, 'ended' AS closing
        FROM dear
    )
SELECT
    at, closing, concat('[', toJSONString(name), ',', toJSONString(t.run_id), ']') AS subject, t.run_id AS shown, t.run_id AS run_id, name AS budget, action,
    task_type, business_unit, team, user, agent, service, environment, if(task_type = '', 'run', concat(task_type, ' run')) AS task_type_or_run,
    since, calls, lower_bound, if(lower_bound, 'at least ', '') AS bound, value, value AS cost_usd, limit_usd, limit_usd AS whole, threshold,
    toUInt32(greatest(0, toInt64(arrayCount(step -> value * 100 >= limit_usd * step, steps)) - 1)) AS level,
    toFloat64(value) / toFloat64(whole) AS used
FROM told AS t INNER JOIN dear ON dear.run_id = t.run_id
WHERE value >= threshold OR closing != ''
ORDER BY at, subject
