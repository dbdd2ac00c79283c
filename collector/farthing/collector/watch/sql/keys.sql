-- What some entries took, by run, and what their steps may repeat, as numbers. Nothing is
-- a loop before one of these is there three times: most runs need no closer look.
WITH
    attributes AS a,
    toUnixTimestamp64Micro(if(kind IN ('model_call', 'tool'), time - toIntervalMicrosecond(duration_us), time)) AS at_us,
    (toUInt32OrZero(a['farthing.fingerprint.result_len']) < {{informative_chars}} OR a['farthing.fingerprint.empty'] = 'true') AS is_short,
    splitByChar(',', a['farthing.tool_results.name']) AS names,
    (field -> arrayResize(splitByChar(',', a[concat('farthing.tool_results.', field)]), length(names), '')) AS told
SELECT
    run_id,
    countIf(entry = 'span') AS spans,
    sum(tool_calls) AS calls_of_tools,
    countIf(kind = 'agent' AND entry = 'span') AS calls_of_agents,
    sum(input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens + output_tokens + reasoning_tokens + output_audio_tokens) AS tokens,
    toString(sum(ifNull(cost_usd, 0))) AS spent_usd,
    max(task_type) AS of_type,
    minIf((toUnixTimestamp64Micro(time) - duration_us, -duration_us, agent::String), agent != '') AS first_agent,
    min(at_us) AS first_us,
    max(at_us) AS last_us,
    groupArrayArrayIf(arrayFilter(key -> key != 0, arrayConcat(
        if(kind != 'tool', emptyArrayUInt32(), [
            if(a['farthing.fingerprint.args_hash'] = '', 0, cityHash64('call', agent, tool_name, a['farthing.fingerprint.args_hash']))::UInt32,
            if(a['farthing.fingerprint.err_sig_hash'] = '', 0, cityHash64('error', agent, a['farthing.fingerprint.err_sig_hash']))::UInt32,
            if(is_short, 0, cityHash64('answer', agent, a['farthing.fingerprint.result_hash']))::UInt32,
            if(is_short OR (error_type = '' AND a['farthing.fingerprint.err_sig_hash'] = ''), 0, cityHash64('text', agent, a['farthing.fingerprint.result_norm_hash']))::UInt32,
            if(error_type = '' OR a['farthing.fingerprint.err_sig_hash'] != '', 0, cityHash64('failure', agent, tool_name, error_type))::UInt32
        ]),
        if(kind != 'model_call' OR a['farthing.fingerprint.text_hash'] = '', emptyArrayUInt32(), [
            cityHash64('reply', agent, if(output_tokens + reasoning_tokens + output_audio_tokens < {{long_reply_tokens}} OR a['farthing.fingerprint.text_norm_hash'] = '', a['farthing.fingerprint.text_hash'], a['farthing.fingerprint.text_norm_hash']))::UInt32
        ]),
        if(kind != 'model_call' OR error_type = '', emptyArrayUInt32(), [cityHash64('refusal', agent, error_type)::UInt32]),
        if(kind != 'model_call' OR a['farthing.tool_results.call_id'] = '', emptyArrayUInt32(), arrayConcat(
            arrayMap((name, hash) -> if(hash = '', 0, cityHash64('call', agent, name, hash))::UInt32, names, told('args_hash')),
            arrayMap(hash -> if(hash = '', 0, cityHash64('error', agent, hash))::UInt32, told('err_sig_hash')),
            arrayMap((hash, chars) -> if(toUInt32OrZero(chars) < {{informative_chars}}, 0, cityHash64('answer', agent, hash))::UInt32, told('result_hash'), told('result_len')),
            arrayMap((hash, chars) -> if(toUInt32OrZero(chars) < {{informative_chars}}, 0, cityHash64('text', agent, hash))::UInt32, told('result_norm_hash'), told('result_len'))
        ))
    )), entry = 'span') AS keys
FROM spans
WHERE {{which}} AND length(run_id) <= {{id_most}}
GROUP BY run_id
SETTINGS optimize_functions_to_subcolumns = 0
