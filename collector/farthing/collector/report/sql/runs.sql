-- Runs that ended since an instant, the most expensive or the newest first.
SELECT
    run_id,
    max(r.task_type) AS task_type,
    min(r.began_by).3 AS agent,
    max(r.business_unit) AS business_unit,
    max(r.team) AS team,
    max(r.user) AS user,
    max(r.service) AS service,
    min(r.start_time) AS start_time,
    max(r.end_time) AS end_time,
    sum(r.calls) AS calls,
    sum(r.unpriced_calls) AS unpriced_calls,
    sum(r.partial_calls) AS partial_calls,
    sum(r.tool_calls) AS tool_calls,
    sum(r.errors) AS errors,
    sum(r.input_tokens) AS input,
    sum(r.cache_read_tokens) AS cache_read,
    sum(r.cache_write_5m_tokens) AS cache_write_5m,
    sum(r.cache_write_1h_tokens) AS cache_write_1h,
    sum(r.input_audio_tokens) AS input_audio,
    sum(r.cache_audio_tokens) AS cache_audio,
    sum(r.output_tokens) AS output,
    sum(r.reasoning_tokens) AS reasoning,
    sum(r.output_audio_tokens) AS output_audio,
    sum(r.cost_usd) AS cost_usd,
    count() OVER () AS of
FROM runs AS r
WHERE {run_id:String} = '' OR run_id = {run_id:String}
GROUP BY run_id
HAVING end_time >= toDateTime({since_s:Int64}, 'UTC') AND ({task_type:String} = '' OR task_type = {task_type:String})
ORDER BY {{order}} DESC, run_id
LIMIT {limit:UInt32}
