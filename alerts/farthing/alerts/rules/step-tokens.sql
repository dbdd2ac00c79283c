-- The largest model call of each run that goes on, of those of the last minutes.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    recent AS (
        SELECT run_id, task_type, business_unit, team, user, agent, service, environment, step, time, duration_us, entry, s.cost_usd AS cost,
            input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens + output_tokens + reasoning_tokens + output_audio_tokens AS tokens
        FROM spans AS s
        WHERE kind = 'model_call' AND time <= at
            AND (time >= at - toIntervalMinute({idle_minutes:UInt32}) OR run_id IN {open:Array(String)})
    )
SELECT
    run_id AS subject, run_id, max(recent.task_type) AS task_type, max(recent.business_unit) AS business_unit, max(recent.team) AS team,
    max(recent.user) AS user, max(recent.service) AS service, max(recent.environment) AS environment,
    argMax(recent.agent, tokens) AS agent, argMax(recent.step, tokens) AS step, if(step = '', '', concat(', in step ', step)) AS step_words,
    if(task_type = '', 'Run', task_type) AS task_type_or_run,
    max(tokens) AS value, {limit_tokens:UInt64} AS threshold, if(value >= 2 * threshold, 1, 0) AS level,
    sum(ifNull(cost, 0)) AS cost_usd, argMax(time - toIntervalMicrosecond(duration_us), tokens) AS since,
    if(max(time) < at - toIntervalMinute({idle_minutes:UInt32}), 'ended', '') AS closing
FROM recent
GROUP BY run_id
HAVING subject IN {open:Array(String)} OR value >= threshold AND closing = ''
