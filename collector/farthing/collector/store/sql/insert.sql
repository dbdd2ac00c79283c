-- One batch of OTLP requests in, as one block that counts once: the engine reads, decodes
-- and prices it and writes it to spans, whose views write the roll-ups. The columns are those
-- of decode.sql, in its order: to ask the engine for them takes as long as to plan the insert.
INSERT INTO spans (
    run_id, time, entry, reason, trace_id, span_id, parent_span_id, name, kind, operation,
    scope, scope_version, dialect, task_type, step, business_unit, team, user, agent, service,
    environment, conversation_id, provider, model, request_model, response_model, host,
    service_tier, speed, batch, geo, region, deployment, response_id, finish_reasons, streamed,
    duration_us, first_chunk_us, error_type, tool_name, tool_call_id, calls, tool_calls, errors,
    input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    input_audio_tokens, cache_audio_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, web_searches, cost_usd, tool_fee_usd, claimed_usd, cost_state,
    cost_reason, price_row, catalogue, model_match, usage_rule, flags, attributes, load,
    ingested_at, decoding
) SETTINGS {{settings}}
SELECT *, {{decoding}} AS decoding FROM (
{{decode}}
)
