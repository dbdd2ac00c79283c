-- The tellings of the spans that hold one of the links, corrections of them included, and
-- where their entries are. What has a run id longer than any query is left alone. The links
-- stand here once: planning them takes longer than finding them.
SELECT
    run_id, toString(time) AS at, entry = 'span' AND load != {{load}} AS is_old,
    toUnixTimestamp64Micro(start_time) AS start_us, toUnixTimestamp64Micro(time) AS end_us,
    span, parent, answer, likeness
FROM tellings
WHERE time >= fromUnixTimestamp64Micro({{from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{until_us}}, 'UTC')
    AND length(run_id) < 10000
    AND span GLOBAL IN (
        SELECT span
        FROM tellings
        WHERE time >= fromUnixTimestamp64Micro({{from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{until_us}}, 'UTC')
            AND entry = 'span'
            AND (arrayJoin([(span, true), (parent, true), (answer, true), (parent, false), (likeness, false)]) AS held)
                GLOBAL IN (SELECT link, is_hard::Bool FROM ({{links}}))
            AND (held.2 OR (time >= fromUnixTimestamp64Micro({{exactly_from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{exactly_until_us}}, 'UTC')))
    )
