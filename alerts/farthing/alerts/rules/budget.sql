-- What is spent of each budget in its window; `level` is the number of steps reached, less
-- one. A window that is over is closed, also where it ended while nobody looked.
-- `pessimistic_usd` is what guards are told: a call of a model without a price counts by its
-- tokens as a guard counts it (GUESSED_INPUT and GUESSED_OUTPUT of guard/estimate.py), one that
-- told no usage, or none that can be believed, like the mean call of the dearest hour, or where
-- none has a price like an answer of 4,096 tokens. Tested to be what a guard says; spent_by_run.sql has the same of runs.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    toDecimal128('0.000015', 15) AS input_usd, toDecimal128('0.000075', 15) AS output_usd,
    declared AS (
        SELECT b.name AS name, b.of AS of, b.who AS wanted, b.window AS window, b.from_s AS from_s, b.until_s AS until_s,
            toDecimal128(b.limit_usd, 15) AS limit_usd, b.steps AS steps, b.action AS action
        FROM (SELECT arrayJoin(JSONExtract({budgets:String}, 'Array(Tuple(name String, of String, who String, window String, from_s Int64, until_s Int64, limit_usd String, steps Array(UInt32), action String))')) AS b)
    ),
    remembered AS (
        SELECT JSONExtract(subject, 'Tuple(String, String, Int64, Int64)') AS told, subject
        FROM (SELECT arrayJoin({open:Array(String)}) AS subject)
    ),
    past AS (
        SELECT d.name AS name, d.of AS of, told.2 AS wanted, d.window AS window, told.3 AS from_s, told.4 AS until_s,
            d.limit_usd AS limit_usd, d.steps AS steps, d.action AS action
        FROM remembered AS r INNER JOIN declared AS d ON d.name = r.told.1
        WHERE r.told.4 <= toUnixTimestamp(at)
    ),
    windows AS (SELECT * FROM declared UNION ALL SELECT * FROM past),
    spent AS (
        SELECT hour, of, who, sum(cost) AS cost, sum(unpriced) AS unpriced, sum(partial) AS partial, sum(calls) AS calls,
            sum(silent) AS silent, sum(guessed) AS guessed
        FROM (
            WITH (input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens) * input_usd
                + (output_tokens + reasoning_tokens + output_audio_tokens) * output_usd AS tokens_usd
            SELECT hour, h.task_type AS task_type, h.business_unit AS business_unit, h.team AS team, h.user AS user, h.agent AS agent, h.service AS service,
                h.environment AS environment, sum(h.cost_usd) AS cost, sum(h.unpriced_calls) AS unpriced, sum(h.partial_calls) AS partial, sum(h.calls) AS calls,
                sumIf(h.calls, cost_state = 'no_usage' OR cost_reason = 'invalid_usage') AS silent,
                sumIf(tokens_usd, cost_state = 'unpriced')
                    + greatest(0, sumIf(tokens_usd - h.cost_usd, cost_state = 'partial')) AS guessed
            FROM spend_hourly AS h
            WHERE hour >= least((SELECT toDateTime(min(from_s), 'UTC') FROM windows), toDateTime(at, 'UTC') - toIntervalDay(1)) AND hour <= at
            GROUP BY hour, task_type, business_unit, team, user, agent, service, environment
        )
        ARRAY JOIN
            ['everything', 'task_type', 'business_unit', 'team', 'user', 'agent', 'service', 'environment'] AS of,
            ['everything', task_type, business_unit, team, user, agent, service, environment] AS who
        WHERE who != ''
        GROUP BY hour, of, who
    ),
    used AS (
        SELECT name, of, who, window, from_s, until_s, limit_usd, steps, action,
            sumIf(cost, toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS value,
            sumIf(unpriced, toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS unpriced_calls,
            sumIf(partial, toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS partial_calls,
            maxIf(cost / greatest(calls - unpriced, 1), toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS dearest_call,
            sumIf(silent, toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS silent_calls,
            sumIf(guessed, toUnixTimestamp(hour) >= from_s AND toUnixTimestamp(hour) < until_s) AS guessed_usd,
            sumIf(cost, hour > at - toIntervalDay(1)) / 24 AS per_hour
        FROM windows AS w INNER JOIN spent AS s ON s.of = w.of
        WHERE w.wanted = '*' OR w.wanted = s.who
        GROUP BY name, of, who, window, from_s, until_s, limit_usd, steps, action
    )
SELECT
    concat('[', toJSONString(name), ',', toJSONString(who), ',', toString(from_s), ',', toString(until_s), ']') AS subject,
    concat(name, ' ', who, ' ', formatDateTime(toDateTime(from_s, 'UTC'), '%F')) AS shown,
    name AS budget, who, of, window, action,
    if(of = 'task_type', who, '') AS task_type, if(of = 'business_unit', who, '') AS business_unit, if(of = 'team', who, '') AS team,
    if(of = 'user', who, '') AS user, if(of = 'agent', who, '') AS agent, if(of = 'service', who, '') AS service,
    if(of = 'environment', who, '') AS environment,
    value, value AS cost_usd, limit_usd, limit_usd AS whole, unpriced_calls, unpriced_calls + partial_calls > 0 AS lower_bound, if(lower_bound, 'at least ', '') AS bound,
    if(lower_bound, concat(' Calls without a known cost: ', toString(unpriced_calls + partial_calls), '.'), '') AS unknown_words,
    toDecimal128(limit_usd * arrayMin(steps) / 100, 15) AS threshold,
    toUInt32(greatest(0, toInt64(arrayCount(step -> value * 100 >= limit_usd * step, steps)) - 1)) AS level,
    toFloat64(value) / toFloat64(whole) AS used,
    toDecimal128(value + per_hour * greatest(0, until_s - toUnixTimestamp(at)) / 3600, 15) AS forecast_usd,
    toDecimal128(per_hour, 15) AS burn_usd_per_hour,
    toDecimal128(value + guessed_usd + silent_calls * if(dearest_call > 0, dearest_call, 4096 * output_usd), 15) AS pessimistic_usd,
    toDateTime(from_s, 'UTC') AS since, toDateTime(until_s, 'UTC') AS ends_at,
    if(until_s <= toUnixTimestamp(at), 'period ended', '') AS closing
FROM used
WHERE subject IN {open:Array(String)} OR closing = '' AND value >= threshold
UNION ALL
SELECT subject, '', told.1, '', '', '', '', '', '', '', '', '', '', '', NULL, NULL, 0, 0, 0, false, '', '', NULL, 0, 0, 0, 0, 0,
    toDateTime(told.3, 'UTC'), toDateTime(told.4, 'UTC'), 'budget removed'
FROM remembered
WHERE told.1 NOT IN (SELECT name FROM declared)
