-- Spend since an hour, by one dimension of spend_hourly; ROLLUP adds the total, whose
-- is_total is 1. A group that has unpriced or partial calls is a lower bound.
SELECT
    {{dimension}} AS key,
    grouping(key) = {{of_total}} AS is_total,
    sum(h.cost_usd) AS cost_usd,
    sum(h.tool_fee_usd) AS tool_fee_usd,
    sum(h.calls) AS calls,
    sum(h.unpriced_calls) AS unpriced_calls,
    sum(h.partial_calls) AS partial_calls,
    sum(h.tool_calls) AS tool_calls,
    sum(h.errors) AS errors,
    sum(h.input_tokens) AS input,
    sum(h.cache_read_tokens) AS cache_read,
    sum(h.cache_write_5m_tokens) AS cache_write_5m,
    sum(h.cache_write_1h_tokens) AS cache_write_1h,
    sum(h.input_audio_tokens) AS input_audio,
    sum(h.cache_audio_tokens) AS cache_audio,
    sum(h.output_tokens) AS output,
    sum(h.reasoning_tokens) AS reasoning,
    sum(h.output_audio_tokens) AS output_audio
FROM spend_hourly AS h
WHERE h.hour >= toDateTime({since_s:Int64}, 'UTC') AND h.hour < toDateTime({until_s:Int64}, 'UTC')
GROUP BY ROLLUP(key)
HAVING is_total OR cost_usd != 0 OR calls != 0 OR tool_calls != 0 OR errors != 0 OR
    (input, cache_read, cache_write_5m, cache_write_1h, input_audio, cache_audio, output, reasoning, output_audio)
    != (0, 0, 0, 0, 0, 0, 0, 0, 0)
ORDER BY is_total DESC, cost_usd DESC, key
