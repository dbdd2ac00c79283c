-- The days of a range that hold billed calls, and how many entries.
SELECT toDate(time) AS day, count() AS entries
FROM spans
WHERE time >= fromUnixTimestamp64Micro({{since_us}}, 'UTC')
    AND time < fromUnixTimestamp64Micro({{until_us}}, 'UTC')
    AND cost_state != ''
GROUP BY day
ORDER BY day
