"""Spend in the range."""

from farthing.dashboards.panel import UNKNOWN_CALLS, Column, Panel, usd

PANEL = Panel(
    title="Spend",
    question="What did we spend, and is that more than before?",
    chart="stat",
    hourly=True,
    note="The change is against as many hours just before, where the ledger reaches back"
    " so far. With calls that are not fully priced it is a lower bound.",
    columns=(
        usd(),
        usd("before_usd", "range before"),
        Column(name="change", unit="share", title="vs range before"),
        UNKNOWN_CALLS,
    ),
    sql="""
WITH
    toStartOfHour(toDateTime($__fromTime, 'UTC')) AS since, {{hours_before}} AS before,
    (SELECT min(o.hour) FROM spend_hourly AS o) AS oldest
SELECT
    if(sumIf(t.calls, t.hour >= since) > 0 AND sumIf(t.calls, t.hour >= since) = sumIf(t.unpriced_calls, t.hour >= since),
        NULL, sumIf(t.cost_usd, t.hour >= since)) AS cost_usd,
    if(oldest > before OR sumIf(t.calls, t.hour < since) = sumIf(t.unpriced_calls, t.hour < since), NULL, sumIf(t.cost_usd, t.hour < since)) AS before_usd,
    if(before_usd > 0, toFloat64(cost_usd - before_usd) / toFloat64(before_usd), NULL) AS change,
    sumIf(t.unpriced_calls + t.partial_calls, t.hour >= since) AS unpriced_calls
FROM spend_hourly AS t
WHERE t.hour >= before AND t.hour <= $__toTime AND {{chosen}}
""",
)
