-- Findings as they were reached and as they ended, in order of time.
SELECT
    concat(run_id, ' ', agent, ' ', kind, ' ', toString(episode)) AS subject,
    run_id AS shown, run_id, task_type, business_unit, team, user, agent, service, environment, kind,
    if(kind = 'loop', 'Loop', 'Retry storm') AS kind_words,
    if(task_type = '', 'a run', task_type) AS task_type_or_run,
    f.cost_usd AS value, f.cost_usd AS cost_usd, toDecimal128(0, 15) AS threshold,
    toDecimal128({escalate_at_usd:Decimal(18, 6)}, 15) AS first_step,
    if(value < first_step, 0, 1 + toUInt32(floor(log2(toFloat64(value) / toFloat64(first_step))))) AS level,
    unpriced_calls > 0 AS lower_bound, if(lower_bound, 'at least ', '') AS bound,
    why, steps, first_time AS since, formatDateTime(first_time, '%F %H:%i') AS first_text,
    toDecimal128(value * 3600 / greatest(60, dateDiff('second', first_time, last_time)), 15) AS burn_usd_per_hour,
    event.2 AS closing, event.1 AS at
FROM (SELECT *, f0.level AS level_of FROM findings AS f0 FINAL) AS f
ARRAY JOIN [(at_time, ''), (last_time, ''), (last_time + toIntervalMinute({idle_minutes:UInt32}), 'ended')] AS event
WHERE kind IN ('loop', 'retry_storm') AND level_of = 'confirmed' AND at_time >= {since:DateTime64(6, 'UTC')} AND at_time <= {now:DateTime64(6, 'UTC')}
ORDER BY at, subject
