-- What some entries took, by run, and what their steps may repeat, as numbers. Nothing is
-- a loop before one of these is there three times: most runs need no closer look. What
-- model calls tell of tool results, `handing` of them, is left to handed.sql.
-- Grouped in two levels, rows would come in 256 blocks, which take as long to read as they took
-- to make.
WITH
    attributes AS a,
    toUnixTimestamp64Micro(if(kind IN ('model_call', 'tool'), time - toIntervalMicrosecond(duration_us), time)) AS at_us,
    cityHash64(agent) AS whose,
    kind = 'tool' AS is_tool,
    a['farthing.fingerprint.args_hash'] AS args,
    multiIf(a['farthing.fingerprint.err_sig_hash'] != '', a['farthing.fingerprint.err_sig_hash'], error_type != '', concat(tool_name, ' ', error_type), '') AS failure,
    (failure != '' OR a['farthing.fingerprint.error'] IN ('true', 'True', '1')) AS is_error,
    (a['farthing.fingerprint.retryable'] != '' OR error_type != '' AND (NOT is_tool OR length(error_type) = 3 OR a['http.response.status_code'] != '' OR multiSearchAnyCaseInsensitive(error_type, [{{overload}}]))) AS is_refused,
    (toUInt64OrZero(a['farthing.fingerprint.result_len']) < {{informative_chars}} OR a['farthing.fingerprint.empty'] = 'true') AS is_short,
    a[if(is_error, 'farthing.fingerprint.result_norm_hash', 'farthing.fingerprint.result_hash')] AS answer,
    a[if(output_tokens + reasoning_tokens + output_audio_tokens < {{long_reply_tokens}} OR a['farthing.fingerprint.text_norm_hash'] = '', 'farthing.fingerprint.text_hash', 'farthing.fingerprint.text_norm_hash')] AS reply
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
    arrayFilter(key -> key != 0, groupArrayArrayIf([
        ((is_tool AND args != '') * cityHash64(whose, tool_name, args))::UInt32,
        ((is_tool AND failure != '') * cityHash64(whose, failure))::UInt32,
        ((is_tool AND answer != '' AND NOT is_short) * cityHash64(whose, is_error, answer))::UInt32,
        ((NOT is_tool AND reply != '') * cityHash64(whose, reply, 'reply'))::UInt32,
        (is_refused * cityHash64(whose, 'refused'))::UInt32
    ], entry = 'span' AND kind IN ('tool', 'model_call'))) AS keys,
    countIf(kind = 'model_call' AND a['farthing.tool_results.call_id'] != '') AS handing
FROM spans
WHERE {{which}} AND length(run_id) <= {{id_most}}
GROUP BY run_id
SETTINGS optimize_functions_to_subcolumns = 0, group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 0
