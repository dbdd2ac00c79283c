-- What would change, by model and state. `identity` tells one set of changes from another.
WITH
{{lines}},
{{priced}}
SELECT
    new_provider AS provider, new_model AS model, cost_state AS old_state, new_state, new_reason AS reason,
    count() AS calls,
    sum(old_usd) AS old_usd,
    sum(changed.new_usd) AS new_usd,
    sum(sipHash64(trace_id, span_id, told, new_state, new_row, ifNull(toString(changed.new_usd), ''))) AS identity
FROM changed
GROUP BY provider, model, old_state, new_state, reason
ORDER BY provider, model, old_state, new_state, reason
