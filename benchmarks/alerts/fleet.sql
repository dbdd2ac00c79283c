-- Calls of a fleet of runs: see fleet.py.
INSERT INTO spans (
    run_id, time, trace_id, span_id, kind, operation, task_type, business_unit, team, user, agent, service, provider, model,
    duration_us, calls, input_tokens, output_tokens, cost_usd, cost_state, load, ingested_at
)
WITH (n, salt) -> (sipHash64(n, salt) % 1000000 + 0.5) / 1000000 AS chance
SELECT
    concat('run-', toString(n)),
    addSeconds(began, call * 20),
    lower(hex(sipHash128(n, 'trace'))), lower(hex(sipHash64(n, call))),
    'model_call', 'chat',
    concat('task-', toString(n % 8)), concat('unit-', toString(n % 3)), concat('team-', toString(n % 5)),
    concat('user-', toString(sipHash64(n) % 40)), concat('agent-', toString(n % 8)), 'service', 'openai', 'gpt-5',
    15000000, 1, 1000 * (1 + call), 300,
    if(is_unpriced, NULL, toDecimal128(run_usd / calls_of_run * (0.75 + chance(n * 100 + call, 'call') / 2), 15)),
    if(is_unpriced, 'unpriced', 'priced'),
    'fleet', now()
FROM (
    SELECT
        number AS n,
        8 + sipHash64(n, 'calls') % 25 AS calls_of_run,
        toDateTime64({{until_s}} - 1800 - toInt64({{days}} * 86400. * (1 - n / {{runs}})), 6, 'UTC') AS began,
        sqrt(-2 * log(chance(n, 'a'))) * cos(2 * pi() * chance(n, 'b')) AS normal,
        0.3 * (1 + n % 8) * (1 + 0.4 * n / {{runs}}) * exp({{sigma}} * normal)
            * if({{is_dear}}, 4 + 8 * chance(n, 'dear'), 1) AS run_usd
    FROM numbers({{first}}, {{count}})
)
ARRAY JOIN range(toUInt32(calls_of_run)) AS call, arrayMap(c -> sipHash64(n, c, 'price') % 4000 = 0, range(toUInt32(calls_of_run))) AS is_unpriced
SETTINGS max_partitions_per_insert_block = 1000
