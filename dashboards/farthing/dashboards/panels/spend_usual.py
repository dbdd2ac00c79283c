"""What is usually spent at such hours."""

from farthing.dashboards.panel import SERIES, TIME, Panel, usd

PANEL = Panel(
    title="Usual spend",
    question="What is usually spent at such a time?",
    chart="time_lines",
    hourly=True,
    note="Of each hour the median of like hours of the 28 days before, as in the alert"
    " spend-anomaly: the same hour of the day and those beside it, on working days or on"
    " weekends. It is known once there are two such days. Costs that are not known are"
    " not in it.",
    columns=(TIME, SERIES, usd()),
    sql="""
WITH
    toStartOfHour(toDateTime($__fromTime, 'UTC')) AS since,
    spent AS (
        SELECT t.hour AS hour, sum(t.cost_usd) AS cost_usd FROM spend_hourly AS t
        WHERE t.hour >= since - toIntervalDay(28) - toIntervalHour(1) AND t.hour <= $__toTime AND {{chosen}}
        GROUP BY t.hour
    ),
    -- Hours in which nothing was spent are not in the table, and count.
    alike AS (
        SELECT hour, day, hour - toIntervalHour(24 * day + beside - 1) AS like_hour
        FROM (SELECT since + toIntervalHour(arrayJoin(range(toUInt32(dateDiff('hour', since, $__toTime) + 1)))) AS hour)
        ARRAY JOIN range(1, 29) AS day
        ARRAY JOIN range(3) AS beside
        WHERE (toDayOfWeek(like_hour) > 5) = (toDayOfWeek(hour) > 5) AND like_hour >= (SELECT min(hour) FROM spent)
            AND (SELECT count() FROM spent) > 0
    ),
    usual AS (
        SELECT a.hour AS hour, quantileExact(0.5)(s.cost_usd) AS cost_usd
        FROM alike AS a
        LEFT JOIN spent AS s ON s.hour = a.like_hour
        GROUP BY a.hour
        HAVING uniqExact(a.day) >= 2
    )
SELECT
    $__timeInterval(u.hour) AS time,
    'usual' AS series,
    sum(u.cost_usd) AS cost_usd
FROM usual AS u
GROUP BY time
-- Of a bar whose hours are not all known, it is not known.
HAVING count() * 3600 >= dateDiff('second', greatest(time, since), least(time + toIntervalSecond($__interval_s), $__toTime))
ORDER BY time
""",
)
