-- The entries of a run, in the order in which the spans began; corrections behind theirs.
SELECT
    count() OVER () AS of,
    time - toIntervalMicrosecond(duration_us) AS start_time,
    time, entry, reason, trace_id, span_id, parent_span_id, name, kind, operation, dialect, step, agent, provider, model,
    model_match, tool_name, error_type, duration_us, calls, cost_usd, tool_fee_usd, cost_state, cost_reason, price_row,
    usage_rule, flags, service_tier, owner_span_id,
    input_tokens AS input,
    cache_read_tokens AS cache_read,
    cache_write_5m_tokens AS cache_write_5m,
    cache_write_1h_tokens AS cache_write_1h,
    input_audio_tokens AS input_audio,
    cache_audio_tokens AS cache_audio,
    output_tokens AS output,
    reasoning_tokens AS reasoning,
    output_audio_tokens AS output_audio,
    -- Of a call that is priced in part, the buckets whose tokens its price row has no rate for.
    arrayFilter(
        (bucket, units, rate) -> units != 0 AND rate < 0 AND cost_reason = 'no_rate_for_bucket',
        ['input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'input_audio', 'cache_audio', 'output', 'reasoning', 'output_audio'],
        [input, cache_read, cache_write_5m, cache_write_1h, input_audio, cache_audio, output, reasoning, output_audio],
        arrayResize(arraySlice(level_rates, 9 * arrayCount(bound -> input + cache_read + cache_write_5m + cache_write_1h + input_audio + cache_audio > bound, level_bounds) + 1, 9), 9, 0::Int64)
    ) AS unpriced_buckets
FROM spans
LEFT JOIN (
    SELECT row_id, any(rates) AS level_rates, any(thresholds) AS level_bounds
    FROM prices
    WHERE row_id IN (SELECT price_row FROM spans WHERE run_id = {run_id:String} AND cost_reason = 'no_rate_for_bucket')
    GROUP BY row_id
) AS priced_by ON priced_by.row_id = price_row
WHERE run_id = {run_id:String}
ORDER BY start_time, time DESC, span_id, entry != 'span', calls
LIMIT {limit:UInt32}
