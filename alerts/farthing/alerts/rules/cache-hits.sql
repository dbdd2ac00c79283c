-- Prompt tokens read from the cache, of all, by task type and model, against the week
-- before. What fires is the share of the usual rate that is lost. A low rate that has become
-- usual is none; of an hour with few calls nothing is said.
WITH
    moments AS (
        SELECT arrayJoin({moments:Array(DateTime64(6, 'UTC'))}) AS at,
            toStartOfHour(toDateTime(at, 'UTC')) - toIntervalHour({tested_hours:UInt32} - 1) AS tested_from
    ),
    hours AS (
        SELECT h.task_type AS task_type, h.model AS model, hour, sum(h.calls) AS calls, sum(h.cost_usd) AS cost, sum(h.unpriced_calls) + sum(h.partial_calls) AS unknown,
            sum(h.cache_read_tokens) AS hits,
            hits + sum(h.input_tokens + h.cache_write_5m_tokens + h.cache_write_1h_tokens) AS prompt
        FROM spend_hourly AS h
        WHERE model != '' AND hour <= (SELECT max(at) FROM moments)
            AND hour >= (SELECT min(tested_from) FROM moments) - toIntervalDay(7)
        GROUP BY task_type, model, hour
    )
SELECT
    at, concat('[', toJSONString(task_type), ',', toJSONString(model), ']') AS subject, who AS shown, task_type, model,
    if(task_type = '', model, concat(task_type, ' on ', model)) AS who,
    sumIf(h.calls, hour >= tested_from) AS calls, calls AS samples, sumIf(h.calls, hour < tested_from) AS usual_calls,
    sumIf(hits, hour >= tested_from) / greatest(sumIf(prompt, hour >= tested_from), 1) AS rate,
    sumIf(hits, hour < tested_from) / greatest(sumIf(prompt, hour < tested_from), 1) AS usual_rate,
    if(usual_rate < toFloat64({least_rate:Decimal(18, 6)}), 0, greatest(0, 1 - rate / usual_rate)) AS value,
    toFloat64({lost_share:Decimal(18, 6)}) AS threshold,
    sumIf(cost, hour >= tested_from) AS cost_usd, sumIf(unknown, hour >= tested_from) > 0 AS lower_bound,
    if(lower_bound, 'at least ', '') AS bound, tested_from AS since
FROM hours AS h CROSS JOIN moments
WHERE hour <= at AND hour >= tested_from - toIntervalDay(7)
GROUP BY at, tested_from, task_type, model
HAVING calls >= {min_calls:UInt32} AND usual_calls >= {min_calls:UInt32}
    AND (subject IN {open:Array(String)} OR value >= threshold * 0.9)
ORDER BY at
