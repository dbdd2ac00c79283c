-- What the steps of some entries may repeat, as numbers, by run. Nothing is a loop before
-- one of them is there three times, so that most runs need no closer look.
WITH
    attributes AS a,
    (toUInt32OrZero(a['farthing.fingerprint.result_len']) < {{informative_chars}} OR a['farthing.fingerprint.empty'] = 'true') AS is_short,
    splitByChar(',', a['farthing.tool_results.name']) AS names,
    (field -> arrayResize(splitByChar(',', a[concat('farthing.tool_results.', field)]), length(names), '')) AS told
SELECT
    run_id,
    toUnixTimestamp64Micro(min(time - toIntervalMicrosecond(duration_us))) AS first_us,
    toUnixTimestamp64Micro(max(time - toIntervalMicrosecond(duration_us))) AS last_us,
    count() AS entries,
    groupArrayArray(arrayFilter(key -> key != 0, arrayConcat(
        if(kind != 'tool', emptyArrayUInt32(), [
            if(a['farthing.fingerprint.args_hash'] = '', 0, cityHash64('call', agent, tool_name, a['farthing.fingerprint.args_hash']))::UInt32,
            if(a['farthing.fingerprint.err_sig_hash'] = '', 0, cityHash64('error', agent, a['farthing.fingerprint.err_sig_hash']))::UInt32,
            if(is_short, 0, cityHash64('answer', agent, a['farthing.fingerprint.result_hash']))::UInt32,
            if(is_short OR (error_type = '' AND a['farthing.fingerprint.err_sig_hash'] = ''), 0, cityHash64('text', agent, a['farthing.fingerprint.result_norm_hash']))::UInt32,
            if(error_type = '' OR a['farthing.fingerprint.err_sig_hash'] != '', 0, cityHash64('failure', agent, tool_name, error_type))::UInt32
        ]),
        if(kind != 'model_call' OR a['farthing.fingerprint.text_hash'] = '', emptyArrayUInt32(), [
            cityHash64('reply', agent, a['farthing.fingerprint.text_hash'])::UInt32,
            cityHash64('norm', agent, a['farthing.fingerprint.text_norm_hash'])::UInt32
        ]),
        if(kind != 'model_call' OR error_type = '', emptyArrayUInt32(), [cityHash64('refusal', agent, error_type)::UInt32]),
        if(kind != 'model_call' OR a['farthing.tool_results.call_id'] = '', emptyArrayUInt32(), arrayConcat(
            arrayMap((name, hash) -> if(hash = '', 0, cityHash64('call', agent, name, hash))::UInt32, names, told('args_hash')),
            arrayMap(hash -> if(hash = '', 0, cityHash64('error', agent, hash))::UInt32, told('err_sig_hash')),
            arrayMap((hash, chars) -> if(toUInt32OrZero(chars) < {{informative_chars}}, 0, cityHash64('answer', agent, hash))::UInt32, told('result_hash'), told('result_len')),
            arrayMap((hash, chars) -> if(toUInt32OrZero(chars) < {{informative_chars}}, 0, cityHash64('text', agent, hash))::UInt32, told('result_norm_hash'), told('result_len'))
        ))
    ))) AS keys
FROM spans
WHERE {{which}} AND entry = 'span' AND length(run_id) <= {{id_most}}
GROUP BY run_id
