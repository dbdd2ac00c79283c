-- Prompt tokens read from the cache, of all, by task type and model, against the week
-- before. What fires is the share of the usual rate that is lost.
WITH
    toStartOfHour(toDateTime({now:DateTime64(6, 'UTC')}, 'UTC')) - toIntervalHour({tested_hours:UInt32} - 1) AS tested_from,
    hours AS (
        SELECT h.task_type AS task_type, h.model AS model, hour >= tested_from AS is_tested, sum(h.calls) AS calls, sum(h.cost_usd) AS cost,
            sum(h.cache_read_tokens) AS hits,
            hits + sum(h.input_tokens + h.cache_write_5m_tokens + h.cache_write_1h_tokens) AS prompt
        FROM spend_hourly AS h
        WHERE hour >= tested_from - toIntervalDay(7) AND hour <= {now:DateTime64(6, 'UTC')} AND model != ''
        GROUP BY task_type, model, is_tested
    )
SELECT
    concat('[', toJSONString(task_type), ',', toJSONString(model), ']') AS subject, who AS shown, task_type, model,
    if(task_type = '', model, concat(task_type, ' on ', model)) AS who,
    sumIf(h.calls, is_tested) AS calls, calls AS samples, sumIf(h.calls, NOT is_tested) AS usual_calls,
    sumIf(hits, is_tested) / greatest(sumIf(prompt, is_tested), 1) AS rate,
    sumIf(hits, NOT is_tested) / greatest(sumIf(prompt, NOT is_tested), 1) AS usual_rate,
    greatest(0, 1 - rate / usual_rate) AS value,
    toFloat64({lost_share:Decimal(18, 6)}) AS threshold,
    sumIf(cost, is_tested) AS cost_usd, tested_from AS since
FROM hours AS h
GROUP BY task_type, model
HAVING calls >= {min_calls:UInt32} AND usual_calls >= {min_calls:UInt32} AND usual_rate >= toFloat64({least_rate:Decimal(18, 6)})
    AND (subject IN {open:Array(String)} OR value >= threshold * 0.9)
