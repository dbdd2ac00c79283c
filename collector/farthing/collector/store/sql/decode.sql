-- OTLP requests in, ledger entries out: one row per GenAI span.
-- What stands in double braces is filled in by decode.py from the dialects and prices.
-- AND and OR cost ClickHouse's analyzer time that grows with the cube of the depth of the
-- query; least and greatest of two truths mean the same and cost nothing.
WITH
-- 1. A resource: who runs. Read once, not once per span.
resource_spans_read AS (
    SELECT
        r.scope_spans AS scope_spans,
        {{resource_fields}}
    FROM (
        SELECT
            r,
            arrayMap(k -> transform(k, {{resource_keys}}, {{resource_slots}}, 0::UInt8), r.resource.attributes.key) AS slots,
            {{resource_texts}} AS texts
        FROM (SELECT arrayJoin(resource_spans) AS r FROM {{intake}})
    )
),
-- 2. A scope: which emitter, hence which dialect.
scope_spans_read AS (
    SELECT
        * EXCEPT s,
        toLowCardinality(s.scope.name) AS scope,
        toLowCardinality(s.scope.version) AS scope_version,
        {{dialect_no}} AS dialect_no,
        s.spans AS spans
    FROM (SELECT * EXCEPT scope_spans, arrayJoin(scope_spans) AS s FROM resource_spans_read)
),
-- 3. A span: which of its attributes holds which field.
spans_read AS (
    SELECT
        *,
        s.attributes.key AS keys,
        arrayMap(k -> {{slot_table}}[dialect_no * {{keys_count}} + transform(k, {{keys}}, {{key_numbers}}, {{keys_count}}::UInt16)], keys) AS slots,
        {{span_texts}} AS texts,
        arrayMap(
            -- What is not a whole number reads as -1, which step 6 refuses.
            (slot, i, d, t) -> multiIf(
                slot = 0, 0,
                slot > {{number_slots}}, 0,
                isNotNull(i), assumeNotNull(i),
                isNotNull(d), ifNull(accurateCastOrNull(d, 'Int64'), -1),
                toInt64OrDefault(t, -1::Int64)
            ),
            slots, s.attributes.value.int_value, s.attributes.value.double_value, texts
        ) AS numbers
    FROM (SELECT * EXCEPT spans, arrayJoin(spans) AS s FROM scope_spans_read)
),
-- 4. Fields: what the emitter said, each under one name.
fields_read AS (
    SELECT
        * EXCEPT (s, keys, slots, texts, numbers, {{resource_names}}),
        s.trace_id AS trace,
        s.span_id AS span,
        s.parent_span_id AS parent,
        s.name AS span_name,
        s.start_time_unix_nano AS start_ns,
        -- A clock that cannot be right is replaced by ours, and the row says so.
        greatest(s.end_time_unix_nano < 946684800000000000, s.end_time_unix_nano > toUnixTimestamp64Nano(now64(9)) + 86400000000000) AS is_time_absurd,
        if(is_time_absurd, toUInt64(toUnixTimestamp64Nano(now64(9))), s.end_time_unix_nano) AS end_ns,
        s.status.code AS status_code,
        {{has_usage}} AS has_usage,
        greatest(arrayMin(numbers) < 0, arrayMax(numbers) > {{most_tokens}}) AS has_absurd_number,
        {{number_fields}},
        CAST(tuple(
        {{text_fields}}
        ), {{text_types}}) AS said,
        arrayFilter((k, slot) -> slot = 0, keys, slots) AS other_keys,
        arrayMap(k -> NOT match(k, {{content}}), other_keys) AS kept,
        mapFromArrays(
            arrayFilter((k, keep) -> keep, other_keys, kept)::Array(LowCardinality(String)),
            arrayFilter((t, keep) -> keep, arrayFilter((t, slot) -> slot = 0, texts, slots), kept)
        ) AS attributes
    FROM spans_read
),
-- 5. What kind of span it is, and whether a model answered.
operations_read AS (
    SELECT
        *,
        if(said.operation != '', said.operation, {{span_name_operation}}) AS operation,
        greatest(status_code = 2, said.error_type != '') AS failed
    FROM fields_read
),
kinds_read AS (
    SELECT
        *,
        multiIf(
            operation != '', transform(operation, {{operations}}, {{operation_kinds}}, 'other'),
            NOT has_usage, '',
            said.request_model != '', 'model_call',
            ''
        ) AS kind
    FROM operations_read
),
-- A call that failed without usage and without a response was not billed.
calls_read AS (
    SELECT
        *,
        least(kind IN ('model_call', 'embedding'), greatest(has_usage, NOT failed, said.response_id != '')) AS is_call
    FROM kinds_read
    WHERE kind != ''
),
-- 6. Buckets: token counts that do not overlap. usage.py is the same in Python.
told AS (
    SELECT
        *,
        least(is_call, has_usage, NOT has_absurd_number) AS is_counted,
        greatest(cache_write, cache_write_5m + cache_write_1h) AS write_tokens
    FROM calls_read
),
ruled AS (
    SELECT
        * REPLACE (
            if(is_counted, input_total, 0) AS input_total,
            if(is_counted, output_total, 0) AS output_total,
            if(is_counted, cache_read, 0) AS cache_read,
            if(is_counted, write_tokens, 0) AS write_tokens,
            if(is_counted, reasoning, 0) AS reasoning,
            if(is_counted, input_audio, 0) AS input_audio,
            if(is_counted, output_audio, 0) AS output_audio
        ),
        multiIf(
            NOT is_counted, '',
            cache_read + write_tokens = 0, 'no_cache',
            cache_read + write_tokens > input_total, 'proven_exclusive',
            {{exclusive}}, 'exclusive',
            {{known_scope}}, 'inclusive',
            'assumed_inclusive'
        ) AS usage_rule
    FROM told
),
parted AS (
    SELECT
        *,
        least(cache_write_1h, write_tokens) AS cache_write_1h_tokens,
        least(cache_audio, cache_read) AS cache_audio_tokens,
        if(usage_rule IN ('inclusive', 'assumed_inclusive'), input_total - cache_read - write_tokens, input_total) AS uncached,
        output_total - reasoning - output_audio AS output_left
    FROM ruled
),
bucketed AS (
    SELECT
        *,
        least(greatest(input_audio - cache_audio_tokens, 0), greatest(uncached, 0)) AS input_audio_tokens,
        greatest(uncached, 0) AS fresh,
        cache_read - cache_audio_tokens AS cache_read_tokens,
        write_tokens - cache_write_1h_tokens AS cache_write_5m_tokens,
        greatest(output_left, 0) AS output_tokens
    FROM parted
),
-- 7. The model: names in normal form, then found in the price book or not.
worded AS (
    SELECT
        *,
        fresh - input_audio_tokens AS input_tokens,
        toLowCardinality({{provider_word}}) AS provider_word,
        toLowCardinality({{host_word}}) AS host_word,
        toLowCardinality({{ref}}) AS ref
    FROM bucketed
),
provided AS (
    SELECT
        *,
        {{provider_by_name}} AS named_provider,
        if(host_word = '', '', {{provider_by_host}}) AS host_provider
    FROM worded
),
found_provider AS (
    SELECT
        *,
        multiIf(
            named_provider NOT IN ('', 'openai'), named_provider,
            host_provider != '', host_provider,
            named_provider != '', named_provider,
            provider_word
        ) AS provider,
        multiIf(
            named_provider != '', '',
            host_provider != '', '',
            'unknown_provider'
        ) AS provider_reason,
        multiIf(
            named_provider != 'openai', 0,
            host_word = '', 0,
            host_provider = ''
        ) AS is_host_assumed
    FROM provided
),
wanted_model AS (
    SELECT
        *,
        {{normalised}} AS wanted
    FROM found_provider
),
looked_up AS (
    SELECT
        *,
        dictGet('price_models', ('model', 'kind'), (provider, wanted)) AS exact,
        dictGet('price_models', ('model', 'dated_ok'), (provider, {{stem}})) AS dated,
        dictGet('price_models', 'model', (provider, '*')) AS any_model
    FROM wanted_model
),
resolved AS (
    SELECT
        *,
        least(provider_reason = '', ref != '') AS is_named,
        multiIf(
            NOT is_named, '',
            exact.model != '', exact.model,
            dated.dated_ok = 1, dated.model,
            any_model
        ) AS model,
        multiIf(
            NOT is_named, '',
            exact.model != '', exact.kind,
            dated.dated_ok = 1, 'dated',
            any_model != '', 'user',
            ''
        ) AS model_match,
        multiIf(
            provider_reason != '', provider_reason,
            ref = '', 'no_model',
            model != '', '',
            {{unmapped}}, 'deployment_not_mapped',
            'unknown_model'
        ) AS model_reason
    FROM looked_up
),
-- 8. The price row: by how, when and where the call was served.
served AS (
    SELECT
        *,
        toInt64(intDiv(end_ns, 1000000000)) AS at_s,
        if(said.service_tier != '', said.service_tier, said.request_tier) AS tier,
        {{speed_word}} AS speed_word,
        concat({{geo}}, '|', {{region}}, '||', host_word) AS place
    FROM resolved
),
tiered AS (
    SELECT
        *,
        {{tier_word}} AS tier_word,
        {{speed_ctx}} AS speed_ctx,
        if(said.batch = 'true', {{batch_ctx}}, 0) AS batch_ctx,
        {{slot}} AS slot,
        {{factor}} AS factor
    FROM served
),
ways AS (
    SELECT *, {{tier_ctx}} AS tier_ctx, greatest(tier_ctx, speed_ctx, batch_ctx) AS way FROM tiered
),
-- Tier, speed and batch that say different things are a way that has no price.
slotted AS (
    SELECT
        *,
        if(
            least(greatest(tier_ctx = 0, tier_ctx = way), greatest(speed_ctx = 0, speed_ctx = way), greatest(batch_ctx = 0, batch_ctx = way)),
            way, {{unknown_ctx}}
        )::UInt8 AS ctx
    FROM ways
),
rated AS (
    SELECT
        *,
        {{numerators}}[factor + 1] AS numerator,
        {{denominators}}[factor + 1] AS denominator,
        dictGet(
            'price_rates', ('row_id', 'kind', 'thresholds', 'rates', 'notes', 'catalogue'),
            (provider, model, ctx, slot), toDateTime(at_s)
        ) AS price,
        input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens
            + input_audio_tokens + cache_audio_tokens AS prompt_tokens,
        [
            input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, input_audio_tokens,
            cache_audio_tokens, output_tokens, reasoning, output_audio
        ] AS counts,
        dictGetOrDefault('price_fees', 'femto_usd', (provider, model, 'web_search'), toDateTime(at_s), -1::Int64) AS own_fee,
        dictGetOrDefault('price_fees', 'femto_usd', (provider, '', 'web_search'), toDateTime(at_s), -1::Int64) AS provider_fee,
        if(own_fee >= 0, own_fee, provider_fee) AS search_fee
    FROM slotted
),
-- 9. The cost, in femto-USD: one rate per bucket, the level by the size of the prompt.
levelled AS (
    SELECT
        *,
        arrayMap(
            rate -> if(rate < 0, rate, intDiv(2 * rate * numerator + denominator, 2 * denominator)),
            arraySlice(price.rates, 9 * arrayCount(bound -> prompt_tokens > bound, price.thresholds) + 1, 9)
        ) AS rates
    FROM rated
),
costed AS (
    SELECT
        *,
        arraySum((tokens, rate) -> if(rate > 0, toInt128(tokens) * rate, 0), counts, rates) AS token_femto,
        toInt128(web_searches) * greatest(search_fee, 0) AS fee_femto,
        greatest(arrayExists((tokens, rate) -> least(tokens > 0, rate < 0), counts, rates), least(web_searches > 0, search_fee < 0)) AS is_incomplete,
        greatest(arrayExists((tokens, rate) -> least(tokens > 0, rate >= 0), counts, rates), least(web_searches > 0, search_fee >= 0)) AS has_known_part
    FROM levelled
),
claimed AS (
    SELECT
        *,
        toDecimal128OrNull(said.claimed_usd, 15) AS claim_usd,
        least(provider IN {{claims_win}}, ifNull(claim_usd > 0, false), is_call) AS claim_wins
    FROM costed
),
judged AS (
    SELECT
        *,
        multiIf(
            NOT is_call, '',
            claim_wins, 'priced',
            NOT has_usage, 'no_usage',
            greatest(has_absurd_number, model_reason != '', price.row_id = 0, numerator = 0), 'unpriced',
            price.kind != 'priced', price.kind,
            NOT is_incomplete, 'priced',
            has_known_part, 'partial',
            'unpriced'
        ) AS cost_state,
        multiIf(
            greatest(NOT is_call, NOT has_usage, claim_wins), '',
            has_absurd_number, 'invalid_usage',
            model_reason != '', model_reason,
            numerator = 0, 'no_rate_for_place',
            price.row_id != 0, multiIf(price.kind != 'priced', '', is_incomplete, 'no_rate_for_bucket', ''),
            slot = {{undecided_slot}}, 'calendar_unknown',
            ctx = {{unknown_ctx}}, 'no_rate_for_tier',
            dictHas('price_keys', (provider, model, ctx, slot)), 'no_rate_at_time',
            ctx = 0, 'no_price',
            'no_rate_for_tier'
        ) AS cost_reason
    FROM claimed
)
SELECT
    multiIf(said.task_id != '', said.task_id, said.conversation_id != '', said.conversation_id, lower(hex(trace))) AS run_id,
    fromUnixTimestamp64Micro(toInt64(intDiv(end_ns, 1000)), 'UTC') AS time,
    'span' AS entry,
    '' AS reason,
    lower(hex(trace)) AS trace_id,
    lower(hex(span)) AS span_id,
    lower(hex(parent)) AS parent_span_id,
    substring(span_name, 1, 128) AS name,
    kind,
    operation,
    scope,
    scope_version,
    {{dialect_names}}[dialect_no + 1] AS dialect,
    said.task_type AS task_type,
    said.step AS step,
    said.business_unit AS business_unit,
    said.team AS team,
    said.user AS user,
    said.agent AS agent,
    resource_service AS service,
    resource_environment AS environment,
    said.conversation_id AS conversation_id,
    if(said.provider = '', '', provider) AS provider,
    if(model != '', model, ref) AS model,
    said.request_model AS request_model,
    said.response_model AS response_model,
    said.host AS host,
    tier AS service_tier,
    said.response_id AS response_id,
    said.finish_reasons AS finish_reasons,
    said.streamed = 'true' AS streamed,
    greatest(toInt64(end_ns) - toInt64(start_ns), 0) DIV 1000 AS duration_us,
    multiIf(
        said.first_chunk_s != '', toInt64(toFloat64OrZero(said.first_chunk_s) * 1000000),
        said.first_chunk_ms != '', toInt64(toFloat64OrZero(said.first_chunk_ms) * 1000),
        NULL
    ) AS first_chunk_us,
    multiIf(said.error_type != '', said.error_type, failed, 'error', '') AS error_type,
    said.tool_name AS tool_name,
    said.tool_call_id AS tool_call_id,
    is_call AS calls,
    kind = 'tool' AS tool_calls,
    failed AS errors,
    input_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    input_audio_tokens,
    cache_audio_tokens,
    output_tokens,
    reasoning AS reasoning_tokens,
    output_audio AS output_audio_tokens,
    if(is_counted, web_searches, 0) AS web_searches,
    multiIf(
        claim_wins, claim_usd,
        cost_state IN ('priced', 'partial'), reinterpret(token_femto + fee_femto, 'Decimal(38, 15)'),
        cost_state IN ('free', 'flat_rate'), toDecimal128(0, 15),
        NULL
    ) AS cost_usd,
    if(least(cost_state IN ('priced', 'partial'), NOT claim_wins), reinterpret(fee_femto, 'Decimal(38, 15)'), NULL) AS tool_fee_usd,
    if(is_call, claim_usd, NULL) AS claimed_usd,
    cost_state,
    cost_reason,
    if(cost_state IN ('', 'no_usage', 'unpriced'), 0, price.row_id) AS price_row,
    if(price_row = 0, '', price.catalogue) AS catalogue,
    model_match,
    usage_rule,
    arrayFilter(flag -> flag != '', [
        if(is_time_absurd, 'time_assumed', ''),
        if(usage_rule = 'assumed_inclusive', 'convention_assumed', ''),
        if(least(usage_rule = 'proven_exclusive', {{known_scope}}, NOT {{exclusive}}), 'convention_contradicted', ''),
        if(greatest(output_left < 0, input_audio - cache_audio_tokens > input_audio_tokens), 'clipped', ''),
        if(least(write_tokens > cache_write_5m + cache_write_1h, greatest(cache_write_5m > 0, cache_write_1h = 0)), 'ttl_assumed', ''),
        if(least(price_row != 0, numerator != denominator), 'multiplier', ''),
        if(is_host_assumed, 'host_assumed', ''),
        if(claim_wins, 'provider_reported', '')
    ]) AS flags,
    attributes,
    getSetting('log_comment') AS load,
    now() AS ingested_at
FROM judged
