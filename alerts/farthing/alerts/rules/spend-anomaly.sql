-- Spend of the hour that runs, by business unit, against the same hour of the week in the
-- four weeks before: median, and the spread of all hours around theirs (MAD), in log space.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    toStartOfHour(toDateTime(at, 'UTC')) AS this_hour,
    hours AS (
        SELECT business_unit, hour, sum(h.cost_usd) AS cost, sum(h.unpriced_calls) AS unpriced
        FROM spend_hourly AS h
        WHERE hour > this_hour - toIntervalDay(28) AND hour <= this_hour AND business_unit != ''
        GROUP BY business_unit, hour
    ),
    known AS (
        SELECT business_unit, min(hour) AS first_hour, sumIf(unpriced, hour = this_hour) AS unpriced,
            sumIf(cost, hour = this_hour) AS spent,
            dateDiff('day', first_hour, this_hour) AS days,
            mapFromArrays(groupArrayIf(hour, hour < this_hour), groupArrayIf(cost, hour < this_hour)) AS history
        FROM hours GROUP BY business_unit
    ),
    -- Hours in which nothing was spent are not in the table, and count.
    filled AS (
        SELECT business_unit, days, spent, unpriced, hour,
            log(0.01 + toFloat64(history[hour])) AS level_of,
            (toDayOfWeek(hour) > 5) = (toDayOfWeek(this_hour) > 5) AND abs(toInt32(toHour(hour)) - toInt32(toHour(this_hour))) IN (0, 1, 23) AS is_alike,
            toDayOfWeek(hour) > 5 AS weekend, toHour(hour) AS of_day
        FROM known
        ARRAY JOIN arrayMap(n -> this_hour - toIntervalHour(n), range(1, toUInt64(greatest(1, dateDiff('hour', first_hour, this_hour) + 1)))) AS hour
    ),
    -- The spread is that of like hours: nights that are empty say nothing of noons.
    usual AS (
        SELECT business_unit, days, spent, unpriced, medianExact(level_of) AS middle,
            groupArray(level_of) AS levels
        FROM filled WHERE is_alike
        GROUP BY business_unit, days, spent, unpriced
    )
SELECT
    business_unit AS subject, business_unit, business_unit AS who, days, days AS samples,
    spent AS value, spent AS cost_usd, unpriced > 0 AS lower_bound, if(lower_bound, 'at least ', '') AS bound,
    toDecimal128(greatest(0, exp(middle) - 0.01), 15) AS expected_usd,
    greatest(
        toDecimal128(least(1e12, exp(middle + toFloat64({deviations:Decimal(18, 6)}) * greatest(0.1, 1.4826 * arrayReduce('medianExact', arrayMap(l -> abs(l - middle), levels))))), 15),
        toDecimal128(expected_usd * {least_factor:Decimal(18, 6)}, 15),
        toDecimal128({floor_usd:Decimal(18, 6)}, 15)
    ) AS threshold,
    if(value >= 2 * threshold, if(value >= 4 * threshold, 2, 1), 0) AS level,
    toDecimal128(spent * 3600 / greatest(300, dateDiff('second', this_hour, at)), 15) AS burn_usd_per_hour,
    this_hour AS since, formatDateTime(this_hour, '%F %H:%i') AS hour_text
FROM usual
WHERE subject IN {open:Array(String)} OR days >= {min_days:UInt32} AND value >= threshold * toDecimal32(0.9, 1)
