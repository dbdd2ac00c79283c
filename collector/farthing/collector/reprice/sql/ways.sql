-- The ways in which the calls in force were made, and how many spans are not settled:
-- told more than once, or in parts.
WITH
{{lines}}
SELECT
    way, segment, any(time) AS at, {{any_way}}, count() AS spans, 0 AS unsettled
FROM in_force
GROUP BY way, segment
UNION ALL
SELECT
    '' AS way, 0 AS segment, toDateTime64(0, 6, 'UTC') AS at, {{no_way}}, 0 AS spans,
    uniqExact(run_id, time, trace_id, span_id) AS unsettled
FROM netted
WHERE net_calls != 0 AND NOT (open_lines = 1 AND n = 1) AND {{chosen}}
