-- Runs of one priced call each, over the day before `until_s`.
INSERT INTO spans (
    run_id, time, trace_id, span_id, kind, operation, task_type, business_unit, agent, provider, model, calls,
    input_tokens, output_tokens, cost_usd, cost_state, load, ingested_at
)
SELECT
    concat('run-', toString(number)), toDateTime64({{until_s}} - number % 86400, 6, 'UTC'),
    lower(hex(sipHash128(number))), lower(hex(sipHash64(number))), 'model_call', 'chat',
    concat('task-', toString(number % 7)), concat('unit-', toString(number % 3)), concat('agent-', toString(number % 5)),
    'openai', 'gpt-5', 1, 1000 + number % 5000, 100, toDecimal128(0.001 * (1 + number % 97), 15), 'priced', 'many', now()
FROM numbers({{runs}})
