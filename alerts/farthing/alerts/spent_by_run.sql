-- What runs spent; calls of unknown cost count pessimistically, as in rules/budget.sql.
WITH
    toDecimal128('0.000015', 15) AS input_usd, toDecimal128('0.000075', 15) AS output_usd,
    told AS (
        SELECT run_id, sum(r.calls) AS calls, sum(r.unpriced_calls) AS unpriced, unpriced + sum(r.partial_calls) > 0 AS lower_bound,
            sum(r.cost_usd) AS cost, min(r.start_time) AS since
        FROM runs AS r
        WHERE run_id IN {run_ids:Array(String)}
        GROUP BY run_id
    ),
    unknown AS (
        WITH (input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens + cache_audio_tokens) * input_usd
            + (output_tokens + reasoning_tokens + output_audio_tokens) * output_usd AS tokens_usd
        SELECT run_id, sumIf(s.calls, cost_state = 'no_usage' OR cost_reason = 'invalid_usage') AS silent,
            sumIf(tokens_usd, cost_state = 'unpriced')
                + greatest(0, sumIf(tokens_usd - ifNull(s.cost_usd, 0), cost_state = 'partial')) AS guessed
        FROM spans AS s
        WHERE run_id GLOBAL IN (SELECT run_id FROM told WHERE lower_bound) AND time >= (SELECT min(since) FROM told WHERE lower_bound)
        GROUP BY run_id
    )
SELECT run_id,
    toDecimal128(cost + guessed + silent * if(cost > 0, cost / greatest(calls - unpriced, 1), 4096 * output_usd), 15) AS pessimistic_usd
FROM told LEFT JOIN unknown USING (run_id)
