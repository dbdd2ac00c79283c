-- Spans of a fleet of runs: see fleet.py. A run is an agent's span, then turns of a model call
-- and a tool call, of which those of a run with a helper are the helper's in part.
INSERT INTO spans (
    run_id, time, trace_id, span_id, parent_span_id, name, kind, operation, scope, scope_version, dialect, task_type, step,
    business_unit, team, user, agent, service, environment, provider, model, request_model, response_model, response_id,
    finish_reasons, streamed, duration_us, error_type, tool_name, tool_call_id, calls, tool_calls, errors, input_tokens,
    cache_read_tokens, cache_write_5m_tokens, output_tokens, reasoning_tokens, cost_usd, cost_state, cost_reason, price_row,
    catalogue, model_match, usage_rule, attributes, load, ingested_at
)
WITH
    (
        SELECT groupArray((provider, model, row_id, catalogue, rates)) FROM (
            SELECT * FROM prices
            WHERE ctx = 0 AND slot = 0 AND valid_to >= now() AND valid_from <= now()
                AND (provider, model) IN (
                    ('anthropic', 'claude-haiku-4-5'), ('anthropic', 'claude-opus-4-5'), ('anthropic', 'claude-sonnet-4-5'),
                    ('google', 'gemini-2.5-flash'), ('google', 'gemini-2.5-pro'),
                    ('openai', 'gpt-4.1'), ('openai', 'gpt-5'), ('openai', 'gpt-5-mini')
                )
            ORDER BY provider, model
        )
    ) AS listed,
    (salt, most) -> cityHash64(n, i, salt) % most AS dice,
    (salt) -> lower(hex(cityHash64(n, i, salt))) AS hash,
    intDiv(i - 1, 2) AS turn,
    if(i = 0, 0, turn % 60) AS since_compaction,
    3000 + growth * since_compaction AS prompt,
    is_model AND dice('unpriced', 500) = 0 AS is_unpriced,
    kind = 'model_call' AS is_model,
    kind = 'tool' AS is_tool,
    since_compaction > 0 AND NOT (pauses AND turn % 23 = 0) AS is_hit,
    is_model AND provider = 'anthropic' AS writes,
    listed[1 + (task * 3 + (dice('model', 5) = 0)) % 8] AS priced
SELECT
    concat(task_type, '-', lower(hex(cityHash64(n, 'run')))) AS run_id,
    addMicroseconds(began, if(i = 0, turns + 1, turn) * pace_us + if(pauses, 400000000 * intDiv(turn, 23), 0) + if(is_tool, intDiv(pace_us, 2), 0)) AS time,
    lower(hex(sipHash128(n, 'trace'))) AS trace_id,
    lower(hex(cityHash64(n, i, 'span'))) AS span_id,
    if(i = 0, '', lower(hex(cityHash64(n, 0, 'span')))) AS parent_span_id,
    concat(operation, ' ', multiIf(is_tool, tool_name, is_model, model, agent)) AS name,
    multiIf(i = 0, 'agent', i > 2 * turns, 'other', i % 2 = 1, 'model_call', 'tool') AS kind,
    multiIf(i = 0, 'invoke_agent', i > 2 * turns, 'outcome', is_model, 'chat', 'execute_tool') AS operation,
    concat('opentelemetry.instrumentation.', provider) AS scope, '2.1.0' AS scope_version, 'semconv' AS dialect,
    ['code-review', 'support-triage', 'research-brief', 'data-entry', 'contract-check', 'release-notes', 'incident', 'lead-scoring', 'translation', 'forecast'][task + 1] AS task_type,
    concat('step-', toString(turn % 5)) AS step,
    if(task = 9, '', concat('unit-', toString(task % 6))) AS business_unit,
    concat('team-', toString(cityHash64(n, 'team') % 12)) AS team,
    concat('user-', toString(cityHash64(n, 'user') % 200)) AS user,
    if(task % 3 = 0 AND i > 0 AND turn % 4 = 3, 'helper', concat(task_type, '-agent')) AS agent,
    concat('service-', toString(task % 4)) AS service,
    if(cityHash64(n, 'environment') % 10 = 0, 'staging', 'production') AS environment,
    if(is_model, priced.1, '') AS provider,
    multiIf(is_unpriced, 'acme-local-30b', is_model, priced.2, '') AS model,
    model AS request_model, model AS response_model,
    if(is_model, concat('resp_', hash('response'), hash('response 2')), '') AS response_id,
    multiIf(NOT is_model, '', turn + 1 = turns, 'stop', 'tool_calls') AS finish_reasons,
    is_model AS streamed,
    if(i = 0, (turns + 1) * pace_us, 200000 + dice('duration', pace_us)) AS duration_us,
    if(is_tool AND dice('error', 30) = 0, 'ToolError', '') AS error_type,
    if(is_tool, concat('tool-', toString(task % 4), '-', toString(dice('tool', 6))), '') AS tool_name,
    if(is_tool, concat('call_', hash('call')), '') AS tool_call_id,
    is_model AS calls,
    is_tool AS tool_calls,
    error_type != '' AS errors,
    if(is_model, prompt - cache_read_tokens - cache_write_5m_tokens, 0) AS input_tokens,
    if(is_model AND is_hit, prompt - growth, 0) AS cache_read_tokens,
    multiIf(NOT writes, 0, is_hit, intDiv(growth * 9, 10), intDiv(prompt * 9, 10)) AS cache_write_5m_tokens,
    if(is_model, 100 + dice('output', 700), 0) AS output_tokens,
    if(is_model AND provider != 'anthropic', dice('reasoning', 500), 0) AS reasoning_tokens,
    if(is_model AND NOT is_unpriced, reinterpret(
        toInt128(input_tokens) * priced.5[1] + toInt128(cache_read_tokens) * priced.5[2] + toInt128(cache_write_5m_tokens) * priced.5[3]
            + toInt128(output_tokens + reasoning_tokens) * priced.5[7],
        'Decimal(38, 15)'
    ), NULL) AS cost_usd,
    multiIf(is_unpriced, 'unpriced', is_model, 'priced', '') AS cost_state,
    if(is_unpriced, 'unknown_model', '') AS cost_reason,
    if(is_model AND NOT is_unpriced, priced.3, 0) AS price_row,
    if(price_row != 0, priced.4, '') AS catalogue,
    if(price_row != 0, 'exact', '') AS model_match,
    if(is_model, 'inclusive', '') AS usage_rule,
    CAST(multiIf(
        is_tool, [
            ('farthing.fingerprint.args_hash', if(loops AND turn % 2 = 0, lower(hex(cityHash64(n, 'looping'))), hash('args'))),
            ('farthing.fingerprint.args_norm_hash', hash('args norm')), ('farthing.fingerprint.args_len', toString(dice('args len', 400))),
            ('farthing.fingerprint.args_simhash', hash('args like')), ('farthing.fingerprint.result_hash', hash('result')),
            ('farthing.fingerprint.result_norm_hash', hash('result norm')), ('farthing.fingerprint.result_shape_hash', hash('shape')),
            ('farthing.fingerprint.result_len', toString(growth * 4 + dice('length', 200))), ('farthing.fingerprint.result_simhash', hash('result like')),
            ('farthing.fingerprint.empty', 'false'), ('farthing.fingerprint.error', if(error_type != '', 'true', 'false')),
            ('farthing.fingerprint.err_sig_hash', if(error_type != '', lower(hex(cityHash64(tool_name))), ''))
        ],
        is_model, [
            ('farthing.fingerprint.prefix_hash', lower(hex(cityHash64(task, agent, intDiv(toUnixTimestamp(time), 172800 * (1 + task)))))),
            ('farthing.fingerprint.prefix_len', '6120'), ('farthing.fingerprint.tools_hash', lower(hex(cityHash64(task, 'tools')))),
            ('farthing.fingerprint.tools_len', '4200'), ('farthing.fingerprint.user_turn', if(turn = 0, 'true', 'false')),
            ('farthing.fingerprint.text_hash', hash('text')), ('farthing.fingerprint.text_norm_hash', hash('text norm'))
        ],
        operation = 'outcome', [('farthing.outcome.name', concat('done-', toString(task % 5)))],
        []
    ), 'Map(LowCardinality(String), String)') AS attributes,
    concat('batch-', toString({{first}})) AS load,
    toDateTime(time, 'UTC') + 3 AS ingested_at
FROM (
    SELECT
        number AS n,
        (cityHash64(n, 'task') % 100 * cityHash64(n, 'task 2') % 100) % 10 AS task,
        sqrt(-2 * log((cityHash64(n, 'a') % 1000000 + 0.5) / 1000000)) * cos(2 * pi() * cityHash64(n, 'b') / pow(2, 64)) AS normal,
        toInt64(greatest(2, least(1500, round({{turns}} / exp(0.18) * exp(0.6 * normal))))) AS turns,
        toInt64(200 + cityHash64(n, 'growth') % 1500) AS growth,
        toInt64(4000000 + cityHash64(n, 'pace') % 20000000) AS pace_us,
        cityHash64(n, 'loops') % 100 = 0 AS loops,
        cityHash64(n, 'pauses') % 10 = 0 AS pauses,
        toDateTime64({{until_s}} - 3600 - toInt64({{days}} * 86400. * (1 - n / {{runs}})), 6, 'UTC') AS began
    FROM numbers({{first}}, {{count}})
)
ARRAY JOIN range(2 * turns + 1 + (task < 5 AND cityHash64(n, 'outcome') % 10 < 6)) AS i
SETTINGS max_partitions_per_insert_block = 1000
