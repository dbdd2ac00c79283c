-- Spend of the hour that runs, by business unit, against the same hour of the day in the
-- four weeks before, working days apart from weekends, by median and MAD in log space.
-- Hours in which nothing was spent say nothing of what an hour of work costs. Where too
-- few like hours are left, any hour of the four weeks is one. Where hours differ much, or
-- hardly at all, deviations mislead: what one hour in twenty costs bounds them.
WITH
    moments AS (
        SELECT arrayJoin({moments:Array(DateTime64(6, 'UTC'))}) AS at, toStartOfHour(toDateTime(at, 'UTC')) AS this_hour
    ),
    hours AS (
        SELECT business_unit, hour, sum(h.cost_usd) AS cost, sum(h.unpriced_calls) + sum(h.partial_calls) AS unpriced
        FROM spend_hourly AS h
        WHERE business_unit != '' AND hour <= (SELECT max(this_hour) FROM moments)
            AND hour >= (SELECT min(this_hour) FROM moments) - toIntervalDay(28)
        GROUP BY business_unit, hour
    ),
    asked AS (
        SELECT m.at AS at, m.this_hour AS this_hour, unit.business_unit AS business_unit, h.cost AS spent, h.unpriced AS unpriced
        FROM moments AS m
        CROSS JOIN (SELECT DISTINCT business_unit FROM hours) AS unit
        LEFT JOIN hours AS h ON h.business_unit = unit.business_unit AND h.hour = m.this_hour
        WHERE business_unit IN {open:Array(String)} OR spent >= toDecimal128({floor_usd:Decimal(18, 6)}, 15) * toDecimal32(0.9, 1)
    ),
    usual AS (
        SELECT asked.at AS at, asked.this_hour AS this_hour, asked.business_unit AS business_unit, spent, asked.unpriced AS unpriced,
            groupArrayIf(toFloat64(h.cost),
                (toDayOfWeek(h.hour) > 5) = (toDayOfWeek(this_hour) > 5)
                AND abs(toInt32(toHour(h.hour)) - toInt32(toHour(this_hour))) IN (0, 1, 23)) AS alike,
            if(length(alike) >= {min_hours:UInt32}, alike, groupArray(toFloat64(h.cost))) AS costs,
            arrayReduce('medianExact', costs) AS middle,
            arrayReduce('quantileExact(0.95)', costs) AS dear,
            1.4826 * arrayReduce('medianExact', arrayMap(c -> abs(log(c / middle)), costs)) AS spread
        FROM asked INNER JOIN hours AS h ON h.business_unit = asked.business_unit
        WHERE h.cost > 0 AND h.hour < this_hour AND h.hour >= this_hour - toIntervalDay(28)
        GROUP BY at, this_hour, business_unit, spent, unpriced
    )
SELECT
    at, business_unit AS subject, business_unit, business_unit AS who, length(costs) AS hours, hours AS samples,
    spent AS value, spent AS cost_usd, unpriced > 0 AS lower_bound, if(lower_bound, 'at least ', '') AS bound,
    toDecimal128(middle, 15) AS expected_usd,
    middle * exp(least(100, toFloat64({deviations:Decimal(18, 6)}) * spread)) AS by_chance,
    greatest(by_chance, dear * toFloat64({least_factor:Decimal(18, 6)})) AS at_least,
    least(at_least, dear * toFloat64({most_factor:Decimal(18, 6)})) AS bounded,
    greatest(toDecimal128(bounded, 15), toDecimal128({floor_usd:Decimal(18, 6)}, 15)) AS threshold,
    if(value >= 2 * threshold, if(value >= 4 * threshold, 2, 1), 0) AS level,
    toDecimal128(spent * 3600 / greatest(300, dateDiff('second', this_hour, at)), 15) AS burn_usd_per_hour,
    this_hour AS since, formatDateTime(this_hour, '%F %H:%i') AS hour_text
FROM usual
WHERE subject IN {open:Array(String)} OR hours >= {min_hours:UInt32} AND value >= threshold * toDecimal32(0.9, 1)
ORDER BY at
