-- How much is known of some runs, and what they took.
SELECT
    run_id,
    sum(r.spans) AS spans,
    max(r.task_type) AS task_type,
    max(r.agent) AS agent,
    toUnixTimestamp(min(r.start_time)) AS began_s,
    sum(r.tool_calls) AS tool_calls,
    sum(r.input_tokens + r.cache_read_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens + r.input_audio_tokens + r.cache_audio_tokens + r.output_tokens + r.reasoning_tokens + r.output_audio_tokens) AS tokens,
    toString(sum(r.cost_usd)) AS cost_usd
FROM runs AS r
WHERE run_id IN ({{runs}})
GROUP BY run_id
