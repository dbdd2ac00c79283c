-- The largest model call of each run that goes on, of those of the last minutes. What a
-- correction takes back of a call is taken off it: a call is at most what one of its
-- entries says, so runs without a large entry are not read call by call.
WITH
    {now:DateTime64(6, 'UTC')} AS at,
    large AS (
        SELECT run_id
        FROM spans
        WHERE kind = 'model_call' AND time <= at AND time >= at - toIntervalMinute({idle_minutes:UInt32})
            AND input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens
                + output_tokens + reasoning_tokens + output_audio_tokens >= {limit_tokens:UInt64}
    ),
    recent AS (
        SELECT run_id, any(s.task_type) AS task_type, any(s.business_unit) AS business_unit, any(s.team) AS team, any(s.user) AS user,
            any(s.agent) AS agent, any(s.service) AS service, any(s.environment) AS environment, any(s.step) AS step,
            max(s.time) AS until, max(s.time - toIntervalMicrosecond(s.duration_us)) AS began, sum(ifNull(s.cost_usd, 0)) AS cost,
            sumIf(s.calls, cost_state IN ('unpriced', 'no_usage', 'partial')) AS unknown,
            sum(input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens
                + output_tokens + reasoning_tokens + output_audio_tokens) AS tokens
        FROM spans AS s
        WHERE kind = 'model_call' AND time <= at
            AND (run_id IN {open:Array(String)} OR time >= at - toIntervalMinute({idle_minutes:UInt32}) AND run_id GLOBAL IN (large))
        GROUP BY run_id, trace_id, span_id
    )
SELECT
    run_id AS subject, run_id, max(recent.task_type) AS task_type, max(recent.business_unit) AS business_unit, max(recent.team) AS team,
    max(recent.user) AS user, max(recent.service) AS service, max(recent.environment) AS environment,
    argMax(recent.agent, tokens) AS agent, argMax(recent.step, tokens) AS step, if(step = '', '', concat(', in step ', step)) AS step_words,
    if(task_type = '', 'Run', task_type) AS task_type_or_run,
    max(tokens) AS value, {limit_tokens:UInt64} AS threshold, if(value >= 2 * threshold, 1, 0) AS level,
    sum(cost) AS cost_usd, sum(unknown) > 0 AS lower_bound, if(lower_bound, 'at least ', '') AS bound,
    argMax(began, tokens) AS since,
    if(max(until) < at - toIntervalMinute({idle_minutes:UInt32}), 'ended', '') AS closing
FROM recent
GROUP BY run_id
HAVING subject IN {open:Array(String)} OR value >= threshold AND closing = ''
