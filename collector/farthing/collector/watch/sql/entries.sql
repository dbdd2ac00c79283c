-- All that the judgement of some runs hangs on, in the order in which it happened.
SELECT
    run_id,
    toUnixTimestamp64Micro(time - toIntervalMicrosecond(duration_us)) AS start_us,
    entry,
    reason,
    trace_id,
    span_id,
    kind,
    agent,
    tool_name,
    tool_call_id,
    error_type,
    calls,
    tool_calls,
    input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens AS input,
    output_tokens + reasoning_tokens + output_audio_tokens AS output,
    toString(ifNull(cost_usd, 0)) AS cost_usd,
    cost_state IN ('unpriced', 'no_usage') AS is_unpriced,
    task_type,
    business_unit,
    team,
    user,
    service,
    environment,
    mapFilter((k, v) -> startsWith(k, 'farthing.fingerprint.') OR startsWith(k, 'farthing.tool_results.') OR k = 'http.response.status_code', attributes) AS fingerprints
FROM spans
WHERE run_id IN ({{runs}}) AND kind IN ('model_call', 'tool') AND {{which}}
ORDER BY run_id, start_us, trace_id, span_id, entry DESC, reason, calls, cost_usd
