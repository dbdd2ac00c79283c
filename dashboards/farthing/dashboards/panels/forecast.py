"""Spend of the month, and where it goes."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Panel, usd

PANEL = Panel(
    title="Month to date",
    question="What has this month cost, and where will it end at the pace of the last"
    " 7 days?",
    chart="stat",
    hourly=True,
    note="The month of the end of the range, UTC. Until a ledger has 7 days, the pace is"
    " that of the days it has.",
    columns=(
        usd("month_usd", "so far"),
        usd("forecast_usd", "forecast"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH toStartOfMonth(toDateTime($__toTime, 'UTC')) AS month, $__toTime AS until, until - toIntervalDay(7) AS week,
    greatest(dateDiff('second', greatest(week, minIf(t.hour, t.hour > week)), until), 3600) AS pace_s,
    dateDiff('second', until, toDateTime(month + toIntervalMonth(1), 'UTC')) AS left_s
SELECT
    sumIf(t.cost_usd, t.hour >= month) AS month_usd,
    month_usd + toDecimal128(toFloat64(sumIf(t.cost_usd, t.hour > week)) / pace_s * left_s, 2) AS forecast_usd,
    sumIf(t.unpriced_calls + t.partial_calls, t.hour >= month) AS unpriced_calls
FROM spend_hourly AS t
WHERE t.hour >= least(toDateTime(month, 'UTC'), week) AND t.hour <= until AND {{chosen}}
""",
)
