-- When the spans of a batch happened, in microseconds. One that took hours does not make
-- us read all that happened meanwhile.
SELECT
    toUnixTimestamp64Micro(min(greatest(start_time, time - toIntervalMicrosecond({{longest_us}})))) AS from_us,
    toUnixTimestamp64Micro(max(time)) AS until_us,
    count() AS tellings,
    uniqExact(span) AS spans
FROM tellings
WHERE load = {{load}} AND entry = 'span'
