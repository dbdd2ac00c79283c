-- Runs that go on, each against the median of finished runs of its kind, itself left out.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    toIntervalMinute({idle_minutes:UInt32}) AS idle,
    usual AS (
        SELECT b.task_type AS task_type, b.of_agent AS of_agent, b.runs AS runs, b.until_s AS until_s,
            toDecimal128(b.median, 15) AS median, toDecimal128(b.without_one, 15) AS without_one
        FROM (SELECT arrayJoin(JSONExtract({baseline:String}, 'Array(Tuple(task_type String, of_agent String, runs UInt64, median String, without_one String, until_s Int64))')) AS b)
    ),
    recent AS (
        SELECT run_id, sum(ifNull(s.cost_usd, 0)) AS burnt
        FROM spans AS s
        WHERE time >= at - idle
        GROUP BY run_id
    ),
    live AS (
        SELECT run_id, max(r.task_type) AS task_type, max(r.business_unit) AS business_unit, max(r.team) AS team,
            max(r.user) AS user, min(r.began_by).3 AS agent, max(r.service) AS service, max(r.environment) AS environment,
            min(r.start_time) AS since, max(r.end_time) AS until, sum(r.calls) AS calls, sum(r.cost_usd) AS cost,
            sum(r.unpriced_calls) + sum(r.partial_calls) > 0 AS lower_bound
        FROM runs AS r
        WHERE run_id IN {open:Array(String)} OR run_id GLOBAL IN (SELECT run_id FROM recent)
        GROUP BY run_id
    )
SELECT
    live.run_id AS subject, live.run_id AS run_id, live.task_type AS task_type, business_unit, team, user, agent, service,
    environment, since, calls, lower_bound, if(lower_bound, 'at least ', '') AS bound,
    cost AS value, cost AS cost_usd,
    if(is_known, if(toUnixTimestamp(until) < until_s, without_one, median), NULL) AS median_usd, median_usd AS usual_cost,
    runs AS baseline_runs,
    runs >= {min_runs:UInt32} AS is_known,
    multiIf(
        is_known, greatest(toDecimal128(median_usd * {factor:Decimal(18, 6)}, 15), toDecimal128({floor_usd:Decimal(18, 6)}, 15)),
        {cold_start_usd:Decimal(18, 6)} > 0, toDecimal128({cold_start_usd:Decimal(18, 6)}, 15),
        value
    ) AS threshold,
    if(median_usd > 0, toFloat64(value) / toFloat64(usual_cost), NULL) AS times,
    if(times IS NULL, 'above its limit', concat(printf('%.1f', assumeNotNull(times)), 'x its usual cost')) AS compared,
    if(is_known, concat('The median of ', toString(runs), ' finished ', task_type, ' runs of the last ', toString({window_days:UInt32}), ' days is'),
        concat('Too few ', task_type, ' runs have finished to tell their median:')) AS usual_words,
    if(threshold > 0 AND value > threshold, toUInt32(floor(log2(toFloat64(value) / toFloat64(threshold)))), 0) AS level,
    dateDiff('second', since, until) AS took_s,
    toDecimal128(burnt * 3600 / greatest(60, least(toInt64({idle_minutes:UInt32}) * 60, dateDiff('second', since, at))), 15) AS burn_usd_per_hour,
    if(until < at - idle, 'ended', '') AS closing
FROM live
LEFT JOIN usual ON usual.task_type = live.task_type AND usual.of_agent = if({by_agent:Bool}, live.agent, '')
LEFT JOIN recent ON recent.run_id = live.run_id
WHERE live.run_id IN {open:Array(String)}
    OR live.task_type != '' AND closing = '' AND (is_known OR {cold_start_usd:Decimal(18, 6)} > 0) AND value >= threshold * toDecimal32(0.9, 1)
