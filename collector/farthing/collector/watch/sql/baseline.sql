-- What runs of a kind took that ended in the month before an hour.
SELECT
    count() AS runs,
    toUInt64(quantileExact(0.99)(tool_calls)) AS calls,
    toUInt64(quantileExact(0.99)(tokens)) AS tokens,
    toUInt64(quantileExact(0.99)(agent_calls)) AS agent_calls,
    toUInt64(quantileExact(0.99)(femto_usd)) AS cost_femto_usd
FROM (
    SELECT
        run_id,
        sum(r.tool_calls) AS tool_calls,
        sum(r.input_tokens + r.cache_read_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens + r.input_audio_tokens + r.cache_audio_tokens + r.output_tokens + r.reasoning_tokens + r.output_audio_tokens) AS tokens,
        greatest(sum(r.cost_usd), 0) * 1000000000000000 AS femto_usd
    FROM runs AS r
    GROUP BY run_id
    HAVING max(r.task_type) = {task_type:String} AND min(r.began_by).3 = {agent:String}
        AND max(r.end_time) < fromUnixTimestamp({hour_s:Int64})
        AND max(r.end_time) >= fromUnixTimestamp({hour_s:Int64}) - toIntervalDay(30)
) AS of_kind
GLOBAL ANY LEFT JOIN (
    SELECT run_id, count() AS agent_calls
    FROM spans
    WHERE kind = 'agent' AND entry = 'span' AND task_type = {task_type:String}
        AND time < fromUnixTimestamp({hour_s:Int64})
        AND time >= fromUnixTimestamp({hour_s:Int64}) - toIntervalDay(30)
    GROUP BY run_id
) AS asked USING (run_id)
