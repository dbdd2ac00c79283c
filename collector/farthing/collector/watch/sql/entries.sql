-- What the judgement of some runs hangs on; the reader sorts it, which takes a quarter of the
-- time. A call of an agent stands where it ended: it is told of after all that happened in it.
WITH
    attributes AS a,
    toUnixTimestamp64Micro(if(kind = 'agent', time, time - toIntervalMicrosecond(duration_us))) AS at_us
SELECT
    run_id,
    at_us,
    trace_id,
    span_id,
    entry != 'span',
    reason = 'duplicate',
    calls,
    toString(ifNull(cost_usd, 0)),
    kind,
    agent,
    tool_name,
    tool_call_id,
    error_type,
    if(error_type = '', '', a['http.response.status_code']),
    input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens,
    output_tokens + reasoning_tokens + output_audio_tokens,
    cost_state IN ('unpriced', 'no_usage'),
    if(kind = 'model_call' AND a['farthing.tool_results.call_id'] != '', toJSONString(mapFilter((k, v) -> startsWith(k, 'farthing.tool_results.'), a)), ''),
    toLowCardinality(toJSONString([{{tags}}])),
    load,
    {{fingerprints}}
FROM spans
WHERE {{which}} AND kind IN ('model_call', 'tool', 'agent')
{{newest}}
SETTINGS optimize_functions_to_subcolumns = 0
