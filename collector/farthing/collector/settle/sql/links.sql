-- Numbers that the seeds share with another telling of the time, and whether they prove
-- something (`is_hard`): a span that came twice or has a child, an answer that two
-- emitters name. A parent or a likeness in common counts for little, only within the
-- exact time, and where some telling does not name its answer.
SELECT link, countIf(link = span) > 0 OR (min(scope) != max(scope) AND countIf(link = answer) > 0) AS is_hard
FROM (
    SELECT
        arrayJoin([span, parent, answer, likeness]) AS link, span, answer, scope,
        time >= fromUnixTimestamp64Micro({{exactly_from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{exactly_until_us}}, 'UTC') AS is_near,
        answer = 0 OR {{has_own_id}} AS is_unnamed
    FROM tellings
    WHERE time >= fromUnixTimestamp64Micro({{from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{until_us}}, 'UTC')
        AND entry = 'span' AND link != 0 AND link GLOBAL IN ({{seeds}})
)
GROUP BY link
HAVING count() > 1 AND (is_hard OR (countIf(is_near AND is_unnamed) > 0 AND minIf(scope, is_near) != maxIf(scope, is_near)))
