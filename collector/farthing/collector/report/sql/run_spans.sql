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
    output_audio_tokens AS output_audio
FROM spans
WHERE run_id = {run_id:String}
ORDER BY start_time, time DESC, span_id, entry != 'span', calls
LIMIT {limit:UInt32}
