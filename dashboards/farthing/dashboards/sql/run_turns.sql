-- Model calls of the run that is chosen, in the order in which they began, corrections summed.
(
    SELECT
        row_number() OVER (ORDER BY began, span_id) AS turn, *
    FROM (
        SELECT
            min(t.time - toIntervalMicrosecond(t.duration_us)) AS began, t.trace_id AS trace_id, t.span_id AS span_id,
            any(t.parent_span_id) AS parent_span_id, any(t.agent) AS agent, any(t.step) AS step, any(t.model) AS model,
            any(t.duration_us) AS duration_us, any(t.error_type) AS error_type,
            sum(t.input_tokens + t.input_audio_tokens) AS input_tokens, sum(t.cache_read_tokens + t.cache_audio_tokens) AS cache_read_tokens,
            sum(t.cache_write_5m_tokens + t.cache_write_1h_tokens) AS cache_write_tokens,
            sum(t.output_tokens + t.output_audio_tokens) AS output_tokens, sum(t.reasoning_tokens) AS reasoning_tokens,
            sum({{prompt}}) AS prompt_tokens, sum(t.calls) AS calls, sum(t.cost_usd) AS cost_usd,
            argMax(t.cost_state, t.ingested_at) AS cost_state
        FROM spans AS t
        WHERE t.run_id IN (${run:singlequote}) AND t.kind = 'model_call'
        GROUP BY t.trace_id, t.span_id
    )
    WHERE calls > 0
)
