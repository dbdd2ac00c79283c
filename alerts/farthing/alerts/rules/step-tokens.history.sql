-- Model calls above the limit, and the ends of their runs, in order of time.
WITH
    large AS (
        SELECT run_id, time, task_type, business_unit, team, user, agent, service, environment, step, cost_state, s.cost_usd AS cost,
            input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens + output_tokens + reasoning_tokens + output_audio_tokens AS tokens
        FROM spans AS s
        WHERE kind = 'model_call' AND time >= {since:DateTime64(6, 'UTC')} AND time <= {now:DateTime64(6, 'UTC')} AND tokens >= {limit_tokens:UInt64}
    ),
    ends AS (SELECT run_id, max(r.end_time) AS until FROM runs AS r WHERE run_id GLOBAL IN (SELECT run_id FROM large) GROUP BY run_id)
SELECT
    event.1 AS at, event.2 AS closing, run_id AS subject, run_id, task_type, business_unit, team, user, agent, service, environment, step,
    if(step = '', '', concat(', in step ', step)) AS step_words, if(task_type = '', 'Run', task_type) AS task_type_or_run,
    tokens AS value, {limit_tokens:UInt64} AS threshold, if(value >= 2 * threshold, 1, 0) AS level, ifNull(cost, 0) AS cost_usd,
    cost IS NULL OR cost_state = 'partial' AS lower_bound, if(lower_bound, 'at least ', '') AS bound, time AS since
FROM large INNER JOIN ends USING (run_id)
ARRAY JOIN [(time, ''), (until + toIntervalMinute({idle_minutes:UInt32}), 'ended')] AS event
ORDER BY at, subject, tokens DESC
