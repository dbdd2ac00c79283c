-- Whether anything of the time can be told twice: a span that came again, one inside
-- another, two emitters. Of most deployments none is true.
SELECT
    countIf(span GLOBAL IN ({{spans}})) AS tellings,
    countIf(parent GLOBAL IN ({{spans}})) AS inside,
    countIf(span GLOBAL IN ({{parents}})) AS outside,
    minIf(cityHash64(scope), is_tool) != maxIf(cityHash64(scope), is_tool)
        OR minIf(cityHash64(scope), NOT is_tool) != maxIf(cityHash64(scope), NOT is_tool) AS is_mixed
FROM tellings
WHERE time >= fromUnixTimestamp64Micro({{from_us}}, 'UTC') AND start_time <= fromUnixTimestamp64Micro({{until_us}}, 'UTC')
    AND entry = 'span'
