-- Calls without a known cost in the last day, by model, as a share of all calls.
WITH
    by_model AS (
        SELECT provider, model, sum(h.calls) AS calls, sum(h.unpriced_calls) AS unpriced_calls, minIf(hour, h.unpriced_calls > 0) AS since
        FROM spend_hourly AS h
        WHERE hour > {now:DateTime64(6, 'UTC')} - toIntervalDay(1) AND hour <= {now:DateTime64(6, 'UTC')}
        GROUP BY provider, model
    ),
    (SELECT sum(calls) FROM by_model) AS all_calls
SELECT
    concat('[', toJSONString(provider), ',', toJSONString(model), ']') AS subject, who AS shown, provider, model,
    multiIf(model = '', 'Calls that name no model', provider = '', model, concat(provider, ' ', model)) AS who,
    unpriced_calls, unpriced_calls AS samples, unpriced_calls / greatest(all_calls, 1) AS value,
    toFloat64({share:Decimal(18, 6)}) AS threshold, since
FROM by_model
WHERE subject IN {open:Array(String)} OR unpriced_calls >= {min_calls:UInt32} AND value >= threshold * 0.9
