"""How long it takes until a span is in the ledger."""

from farthing.dashboards.panel import TIME, Column, Panel, Steps

PANEL = Panel(
    title="From the end of a call to the ledger",
    question="How old are spans when they can be asked for?",
    chart="time_lines",
    note="Seconds, p50 and p95, of spans loaded in the interval. What was recorded and sent"
    " later is old; what is negative comes from a clock that is ahead.",
    empty="Nothing arrived in this range. `farthing doctor` says what to look at.",
    columns=(
        TIME,
        Column(name="series", unit="text"),
        Column(name="lag_s", unit="seconds", title="lag", steps=Steps(60, 600)),
    ),
    sql="""
SELECT time, part.1 AS series, part.2 / 1000 AS lag_s
FROM (
    SELECT
        $__timeInterval(t.ingested_at) AS time,
        quantilesExact(0.5, 0.95)(toUnixTimestamp(t.ingested_at)::Int64 * 1000 - toUnixTimestamp64Milli(t.time)) AS lag_ms
    FROM spans AS t
    WHERE $__timeFilter(t.ingested_at) AND t.entry = 'span' AND {{chosen}}
    GROUP BY time
)
ARRAY JOIN [('p50', lag_ms[1]), ('p95', lag_ms[2])] AS part
ORDER BY time, series
""",
)
