-- What else a ledger holds beside spans: see fleet.py. One call in 200 was told twice.
INSERT INTO spans (
    run_id, time, entry, reason, owner_trace_id, owner_span_id, trace_id, span_id, parent_span_id, name, kind, operation, scope,
    scope_version, dialect, task_type, step, business_unit, team, user, agent, service, environment, provider, model, calls,
    input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens, reasoning_tokens, cost_usd, cost_state, cost_reason, price_row,
    catalogue, load, ingested_at
)
SELECT
    run_id, time, 'correction', 'duplicate', trace_id, parent_span_id, trace_id, span_id, parent_span_id, name, kind, operation, scope,
    scope_version, dialect, task_type, step, business_unit, team, user, agent, service, environment, provider, model, -calls,
    -input_tokens, -cache_read_tokens, -cache_write_5m_tokens, -output_tokens, -reasoning_tokens, -cost_usd, cost_state, cost_reason, price_row,
    catalogue, load, ingested_at
FROM spans
WHERE kind = 'model_call' AND cityHash64(span_id) % 200 = 0
SETTINGS max_partitions_per_insert_block = 1000;

INSERT INTO findings (
    run_id, agent, kind, episode, version, level, pattern, why, ongoing, first_time, at_time, last_time, steps, calls, tokens,
    cost_usd, task_type, business_unit, team, user, service, environment
)
SELECT
    run_id, min(r.began_by).3 AS agent, if(cityHash64(run_id, 'kind') % 3 = 0, 'retry_storm', 'loop'), 1, 100,
    if(cityHash64(run_id, 'level') % 4 = 0, 'suspected', 'confirmed'), if(cityHash64(run_id, 'pattern') % 2 = 0, 'repeat', 'same_error'),
    'a call that recurs', false, min(start_time), max(end_time), max(end_time), 12, 12, 40000, toDecimal128(sum(r.cost_usd) / 2, 15),
    max(r.task_type), max(r.business_unit), max(r.team), max(r.user), max(r.service), max(r.environment)
FROM runs AS r
GROUP BY run_id
HAVING cityHash64(run_id) % 100 = 0;

INSERT INTO alert_instances (
    id, rule, subject, shown, state, severity, title, unit, value, peak, threshold, cost_usd, since, opened_at, fired_at,
    resolved_at, why_resolved, run_id, task_type, business_unit, team, user, agent, service, environment, channels, version
)
SELECT
    lower(hex(cityHash64(run_id, 'alert'))), if(cityHash64(run_id) % 4 = 0, 'loop', 'run-cost'), run_id, run_id,
    if(cityHash64(run_id) % 1000 = 0, 'firing', 'resolved') AS state, 'warning', 'A run that cost more than usual', 'ratio', 4, 5, 3,
    sum(r.cost_usd), min(start_time), max(end_time), max(end_time), if(state = 'firing', NULL, max(end_time) + 600), 'ended',
    run_id, max(r.task_type), max(r.business_unit), max(r.team), max(r.user), min(r.began_by).3, max(r.service), max(r.environment), ['slack'], 1
FROM runs AS r
GROUP BY run_id
HAVING cityHash64(run_id) % 50 = 0
