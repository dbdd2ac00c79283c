"""Spans that arrive."""

from farthing.dashboards.panel import SERIES, TIME, Panel, count

PANEL = Panel(
    title="Spans loaded",
    question="Does telemetry arrive, and from whom?",
    chart="time_bars",
    note="By when they were loaded: of the 8 services with most, and of the others;"
    " corrections are the ledger's own.",
    empty="Nothing arrived in this range. `farthing doctor` says what to look at.",
    columns=(TIME, SERIES, count("spans")),
    sql="""
SELECT time, if(place <= 8, name, '(others)') AS series, sum(entries) AS spans
FROM (
    SELECT time, name, entries, dense_rank() OVER (ORDER BY of_name DESC, name) AS place
    FROM (
        SELECT
            time, multiIf(entry != 'span', 'corrections', service = '', '(none)', service) AS name, entries,
            sum(entries) OVER (PARTITION BY name) AS of_name
        FROM (
            SELECT $__timeInterval(t.ingested_at) AS time, t.entry AS entry, t.service AS service, count() AS entries
            FROM spans AS t
            WHERE $__timeFilter(t.ingested_at) AND {{chosen}}
            GROUP BY time, t.entry, t.service
        )
    )
)
GROUP BY time, series
ORDER BY time, series
""",
)
