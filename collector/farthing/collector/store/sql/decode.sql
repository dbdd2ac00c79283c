-- OTLP requests in, ledger entries out: one row per GenAI span.
--
-- What stands in double braces is filled in by decode.py from the dialects and prices.
-- Every batch pays for planning this once: 0.15 ms a function, 2 ms a level. So what only
-- the last step needs travels in two tuples (`head`, `said`), and what was used is dropped.
-- AND and OR would take the cube of the depth; least and greatest of truths mean the same.
-- A name within a level may be used there once only: each use repeats its expression.
WITH
-- 1. A resource: who runs. Read once, not once per span.
resources AS (
    SELECT r.resource.attributes.key AS keys, r.resource.attributes.value.string_value AS texts, r.scope_spans AS scope_spans
    FROM (SELECT arrayJoin(resource_spans) AS r FROM {{source}})
),
scopes AS (
    SELECT
        CAST(tuple(
        {{resource_fields}}
        ), {{resource_types}}) AS resource,
        arrayJoin(scope_spans) AS s
    FROM resources
),
-- 2. A scope: which emitter, hence which dialect.
scoped AS (
    SELECT
        resource, s.scope.name AS scope, s.scope.version AS scope_version,
        {{dialect_no}} AS dialect_no,
        arrayJoin(s.spans) AS s
    FROM scopes
),
-- 3. A span: which of its attributes holds which field, and every value as text. What a
-- few emitters tell only within a text comes as attributes behind the others.
spans AS (
    SELECT resource, scope, scope_version, dialect_no, s, extractAllGroupsVertical({{usage_text}}, {{in_usage}}) AS usage
    FROM scoped
),
keyed AS (
    SELECT
        resource, dialect_no,
        CAST(tuple(
            s.trace_id, s.span_id, s.parent_span_id, s.name, scope, scope_version,
            s.start_time_unix_nano, s.end_time_unix_nano, s.status.code
        ), 'Tuple(trace String, span String, parent String, name String, scope LowCardinality(String), scope_version LowCardinality(String), start_ns UInt64, end_ns UInt64, status Int32)') AS head,
        arrayConcat(s.attributes.key, arrayMap(entry -> toLowCardinality(concat('usage:', entry[1])), usage)) AS keys,
        arrayMap(k -> {{slot_table}}[dialect_no * {{keys_count}} + transform(k, {{keys}}, {{key_numbers}}, {{keys_count}}::UInt16)], keys) AS slots,
        arrayConcat({{span_texts}}, arrayMap(entry -> concat(entry[2], entry[3]), usage)) AS texts
    FROM spans
),
-- What is read, by field and the first alias first, but empty ones last: they tell
-- nothing. What nobody reads stays apart.
parted AS (
    SELECT
        resource, dialect_no, head, {{is_later}} AS is_later,
        arrayMap(slot -> toUInt8(bitShiftRight(slot, {{rank_bits}})), arraySort(slots)) AS fields,
        arraySort((text, slot, place) -> if(text = '', bitOr(slot, {{last_rank}}), slot) * 4294967296 + place, arrayMap((t, slot) -> if(slot = 0, '', t), texts, slots), slots, arrayEnumerate(slots)) AS found,
        mapFilter((k, v) -> least(notEmpty(v), NOT match(k, {{content}})), mapFromArrays(
            arrayFilter((k, slot) -> slot = 0, keys, slots),
            arrayFilter((t, slot) -> slot = 0, texts, slots)
        )) AS attributes
    FROM keyed
),
-- 4. Fields: what the emitter said, each under one name. A count that is not a whole
-- number reads as -1, which step 6 refuses; the zero before it makes an absent one 0.
fields AS (
    SELECT
        head, dialect_no, is_later, attributes,
        CAST(tuple(
        {{text_fields}}
        ), {{text_types}}) AS said,
        arrayMap(text -> toInt64OrDefault(concat('0', text), -1::Int64), [
        {{number_fields}}
        ]) AS counts,
        {{has_input}} AS has_input,
        {{has_output}} AS has_output,
        {{has_reasoning}} AS has_reasoning
    FROM parted
),
worded AS (
    SELECT
        *,
        greatest(arrayMin(counts) < 0, arrayMax(counts) > {{most_tokens}}, {{input_total}} + {{tool_input}} > {{most_tokens}}) AS is_absurd,
        greatest(has_input, has_output, {{any_cached}}, arrayMin(counts) < 0, arrayMax(counts) > {{most_tokens}}) AS names_usage,
        -- An end that cannot be right is replaced by the start, else the batch's clock; the row says so.
        greatest(head.end_ns < 946684800000000000, head.end_ns > {{as_of_ns}} + 86400000000000) AS is_time_absurd,
        toLowCardinality({{provider_word}}) AS provider_word,
        toLowCardinality({{host_word}}) AS host_word,
        toLowCardinality({{ref}}) AS ref
    FROM fields
),
-- 5. What kind of span it is.
kinds AS (
    SELECT
        * EXCEPT names_usage,
        -- Zeros alone are what some say of a stream, or of any answer, that told them nothing.
        least(names_usage, greatest(least(lower(said.streamed) != 'true', dialect_no NOT IN {{zeros_untold}}), arraySum(counts) != {{web_searches}}, arrayMin(counts) < 0)) AS has_usage,
        multiIf(
            said.operation != '', transform(said.operation, {{operations}}, {{operation_kinds}}, if(least(names_usage, said.request_model != ''), 'model_call', 'other')),
            NOT names_usage, '',
            said.request_model != '', 'model_call',
            ''
        ) AS kind,
        multiIf(NOT is_time_absurd, head.end_ns, least(head.start_ns >= 946684800000000000, head.start_ns <= {{as_of_ns}}), head.start_ns, {{as_of_ns}})::Int64 AS end_ns,
        {{provider_by_name}} AS named_provider,
        {{server}} AS server
    FROM worded
),
-- 6. Buckets: token counts that do not overlap. usage.py is the same in Python.
-- 7. The model, beside it: names in normal form, then found in the price book or not.
counted AS (
    SELECT
        * REPLACE ({{believed_provider}} AS named_provider),
        least(kind IN ('model_call', 'embedding'), has_usage, NOT is_absurd) AS is_counted,
        {{provider_by_server}} AS server_provider,
        {{is_own_host}} AS is_own_host
    FROM kinds
    WHERE kind != ''
),
provided AS (
    SELECT
        * EXCEPT (counts, server),
        if(is_counted, counts, {{no_counts}}) AS told,
        if(is_counted, greatest({{cache_write}}, {{cache_write_5m}} + {{cache_write_1h}}), 0) AS writes,
        multiIf(
            named_provider NOT IN ('', 'openai'), named_provider,
            server_provider != '', server_provider,
            named_provider != '', named_provider,
            provider_word
        )::String AS provider,
        multiIf(
            named_provider NOT IN ('', 'openai'), '',
            server_provider != '', '',
            named_provider = '', 'unknown_provider',
            host_word = '', '',
            is_own_host, '',
            'unknown_host'
        ) AS provider_reason,
        least(named_provider = 'openai', host_word != '', server_provider = '', is_own_host) AS is_host_assumed
    FROM counted
),
ruled AS (
    SELECT
        * EXCEPT (provider_word, named_provider, server_provider, is_own_host),
        multiIf(
            NOT is_counted, '',
            {{told_cache_read}} + writes = 0, 'no_cache',
            {{told_cache_read}} + writes > {{told_input_total}}, 'proven_exclusive',
            {{exclusive}}, 'exclusive',
            {{known_scope}}, 'inclusive',
            'assumed_inclusive'
        ) AS usage_rule,
        least({{told_cache_audio}}, {{told_cache_read}}) AS cache_audio,
        toLowCardinality(concat(provider, ':', ref)) AS asked
    FROM provided
),
normalised AS (
    SELECT
        *,
        if(usage_rule IN ('inclusive', 'assumed_inclusive'), {{told_input_total}} - {{told_cache_read}} - writes, {{told_input_total}}) AS fresh,
        {{told_input_total}} + {{told_tool_input}} + if(usage_rule IN ('exclusive', 'proven_exclusive'), {{told_cache_read}} + writes, 0) AS whole_input,
        {{normalised}} AS wanted,
        toLowCardinality(concat({{geo}}, '|', if(said.region != '', {{region_said}}, {{region}}), '|', {{deployment}}, '|', host_word)) AS place
    FROM ruled
),
stemmed AS (
    SELECT
        * EXCEPT wanted,
        least(greatest({{told_input_audio}} - cache_audio, 0), fresh) AS input_audio,
        if(greatest({{reasoning_apart}}, {{told_reasoning}} > {{told_output_total}}, said.total_tokens = toString(whole_input + {{told_output_total}} + {{told_reasoning}})), {{told_reasoning}}, 0) AS reasoning_apart,
        if(least(is_counted, has_input, has_output, NOT has_reasoning, provider IN {{whole_totals}}), toInt64OrZero(said.total_tokens) - whole_input - {{told_output_total}}, 0) AS rest,
        {{id}} AS id,
        {{stem}} AS stem,
        toLowCardinality({{tier_word}}) AS tier_word,
        toLowCardinality({{speed_word}}) AS speed_word
    FROM normalised
),
looked_up AS (
    SELECT
        * EXCEPT (id, stem, fresh, speed_word, whole_input, rest, has_reasoning),
        [
            fresh - input_audio + {{told_tool_input}} + {{told_compaction_input}}, {{told_cache_read}} - cache_audio, writes - {{told_cache_write_1h}},
            {{told_cache_write_1h}}, input_audio, cache_audio, greatest({{told_output_total}} + reasoning_apart - {{told_reasoning}} - {{told_output_audio}}, 0) + {{told_compaction_output}},
            {{told_reasoning}} + if(least(rest > 0, rest <= {{most_tokens}}), rest, 0), {{told_output_audio}}
        ] AS tokens,
        dictGet('price_models', ('model', 'kind'), (provider, id)) AS exact,
        dictGet('price_models', ('model', 'dated_ok'), (provider, stem)) AS dated,
        {{tier_ctx}} AS tier_ctx,
        {{speed_ctx}} AS speed_ctx,
        if(lower(said.batch) IN ('true', '1'), {{batch_ctx}}, 0) AS batch_ctx
    FROM stemmed
),
resolved AS (
    SELECT
        * EXCEPT (exact, dated),
        multiIf(
            provider_reason != '', '',
            ref = '', '',
            exact.model != '', exact.model,
            dated.dated_ok = 1, dated.model,
            dictGet('price_models', 'model', (provider, '*'))
        ) AS model,
        multiIf(exact.model != '', exact.kind, dated.dated_ok = 1, 'dated', 'user') AS found_as,
        greatest(tier_ctx, speed_ctx, batch_ctx) AS way
    FROM looked_up
),
-- 8. The price row: by how, when and where the call was served.
served AS (
    SELECT
        * EXCEPT (found_as, tier_ctx, speed_ctx, batch_ctx, way, asked),
        if(model = '', '', found_as) AS model_match,
        multiIf(
            provider_reason != '', provider_reason,
            ref = '', 'no_model',
            model != '', '',
            {{unmapped}}, 'deployment_not_mapped',
            'unknown_model'
        ) AS model_reason,
        intDiv(end_ns, 1000000000) AS at_s,
        -- Tier, speed and batch that say different things are a way without a price.
        if(least(tier_ctx IN (0, way), speed_ctx IN (0, way), batch_ctx IN (0, way)), way, {{unknown_ctx}})::UInt8 AS ctx,
        toLowCardinality(model) AS model_word
    FROM resolved
),
placed AS (
    SELECT
        * EXCEPT (place, model_word),
        {{slot}} AS slot,
        {{factor}} AS factor
    FROM served
),
rated AS (
    SELECT
        *,
        {{numerators}}[factor + 1] AS numerator,
        {{denominators}}[factor + 1] AS denominator,
        arraySum(arraySlice(tokens, 1, 6)) AS prompt_tokens,
        dictGet(
            'price_rates', ('row_id', 'kind', 'thresholds', 'rates', 'notes', 'catalogue'),
            (provider, model, ctx, slot), toDateTime(at_s)
        ) AS price,
        dictGet('price_models', 'model', (provider, {{asked_ref}})) AS asked_model,
        if({{told_web_searches}} = 0, 0, dictGetOrDefault(
            'price_fees', 'femto_usd', (provider, model, 'web_search'), toDateTime(at_s),
            dictGetOrDefault('price_fees', 'femto_usd', (provider, '', 'web_search'), toDateTime(at_s), -1::Int64)
        )) AS search_fee,
        dictGetOrDefault('price_fees', 'femto_usd', (provider, model, 'request'), toDateTime(at_s), -1::Int64) AS request_fee
    FROM placed
),
-- 9. The cost, in femto-USD: one rate per bucket, the level by the size of the prompt.
levelled AS (
    SELECT
        *,
        -- A call without a row has nine absent rates: arrays that meet must be of a size.
        arrayMap(
            rate -> if(rate < 0, rate, intDiv(2 * rate * numerator + denominator, 2 * denominator)),
            arrayResize(arraySlice(price.rates, 9 * arrayCount(bound -> prompt_tokens > bound, price.thresholds) + 1, 9), 9, -1::Int64)
        ) AS rates
    FROM rated
),
costed AS (
    SELECT
        * EXCEPT rates,
        arraySum((count, rate) -> if(rate > 0, toInt128(count) * rate, 0), tokens, rates) AS token_femto,
        toInt128({{told_web_searches}}) * greatest(search_fee, 0) + greatest(request_fee, 0) AS fee_femto,
        greatest(search_fee < 0, arrayExists((count, rate) -> least(count > 0, rate < 0), tokens, rates)) AS is_incomplete,
        greatest(
            least({{told_web_searches}} > 0, search_fee >= 0), request_fee >= 0,
            arrayExists((count, rate) -> least(count > 0, rate >= 0), tokens, rates)
        ) AS has_known_part,
        least(kind IN ('model_call', 'embedding'), greatest(has_usage, said.error_type = '', said.response_id != '', said.usage_state IN ('missing', 'partial'))) AS is_call,
        least(is_counted, NOT has_input) AS is_input_missing,
        -- Of a stream that is closed early Anthropic has told 1 token of output, or none.
        least(is_counted, kind = 'model_call', greatest(NOT has_output, least(
            lower(said.streamed) = 'true', said.finish_reasons = '', {{told_output_total}} <= 1, position(ref, 'claude') > 0
        ))) AS is_output_missing,
        -- Of one that was left or cut our own instrumentation says so.
        least(is_counted, said.usage_state = 'partial') AS is_partial,
        ifNull(toDecimal128OrNull(said.claimed_usd, 15), -1) AS claim_usd
    FROM levelled
),
reasoned AS (
    SELECT
        *,
        multiIf(
            NOT is_call, '',
            NOT has_usage, '',
            is_absurd, 'invalid_usage', said.operation NOT IN ('', {{known_operations}}), 'unknown_operation',
            model_reason != '', model_reason,
            price.row_id = 0, multiIf(
                ctx = {{unknown_ctx}}, 'no_rate_for_tier',
                slot = {{undecided_slot}}, 'calendar_unknown',
                dictHas('price_keys', (provider, model, ctx, slot)), 'no_rate_at_time',
                ctx = 0, 'no_price',
                'no_rate_for_tier'
            ),
            numerator = 0, 'no_rate_for_place',
            price.kind != 'priced', '',
            is_incomplete, 'no_rate_for_bucket',
            greatest(is_input_missing, is_output_missing, is_partial), 'usage_incomplete',
            ''
        ) AS list_reason,
        least(is_call, claim_usd >= 0, claim_usd <= {{most_claimed}}, upper(said.claim_currency) IN ('', 'USD')) AS has_claim
    FROM costed
),
judged AS (
    SELECT
        *,
        least(has_claim, claim_usd > 0, provider IN {{claims_win}}, dialect_no NOT IN {{estimating}}, list_reason != 'unknown_operation') AS claim_wins,
        multiIf(
            NOT is_call, '',
            NOT has_usage, 'no_usage',
            list_reason NOT IN ('', 'no_rate_for_bucket', 'usage_incomplete'), 'unpriced',
            price.kind != 'priced', price.kind,
            list_reason = '', 'priced',
            has_known_part, 'partial',
            'unpriced'
        ) AS list_state,
        least(is_counted, list_reason IN ('', 'no_rate_for_bucket', 'usage_incomplete')) AS has_row
    FROM reasoned
)
SELECT
    multiIf(said.task_id != '', said.task_id, said.conversation_id != '', said.conversation_id, lower(hex(head.trace))) AS run_id,
    fromUnixTimestamp64Micro(intDiv(end_ns, 1000), 'UTC') AS time,
    'span' AS entry,
    '' AS reason,
    lower(hex(head.trace)) AS trace_id, lower(if({{has_no_id}}, hex({{made_id}}), hex(head.span))) AS span_id, if({{has_no_parent}}, '', lower(hex(head.parent))) AS parent_span_id,
    {{name}} AS name,
    kind,
    said.operation AS operation,
    head.scope AS scope,
    head.scope_version AS scope_version,
    {{dialect_names}}[dialect_no + 1] AS dialect,
    said.task_type AS task_type,
    said.step AS step,
    said.business_unit AS business_unit, said.team AS team, said.user AS user,
    said.agent AS agent,
    said.service AS service, said.environment AS environment,
    said.conversation_id AS conversation_id,
    provider,
    if(model != '', model, ref) AS model,
    said.request_model AS request_model,
    said.response_model AS response_model,
    said.host AS host,
    said.service_tier AS service_tier,
    said.speed AS speed,
    lower(said.batch) IN ('true', '1') AS batch,
    said.geo AS geo,
    said.region AS region,
    said.deployment AS deployment,
    said.response_id AS response_id,
    said.finish_reasons AS finish_reasons,
    lower(said.streamed) = 'true' AS streamed,
    if(least(NOT is_time_absurd, head.start_ns >= 946684800000000000, head.start_ns <= end_ns), intDiv(end_ns - toInt64(head.start_ns), 1000), 0) AS duration_us,
    accurateCastOrNull(round(ifNull(toFloat64OrNull(said.first_chunk_s) * 1000000, toFloat64OrNull(said.first_chunk_ms) * 1000)), 'Int64') AS first_chunk_us,
    said.error_type AS error_type,
    said.tool_name AS tool_name,
    said.tool_call_id AS tool_call_id,
    is_call AS calls,
    kind = 'tool' AS tool_calls,
    said.error_type != '' AS errors,
    tokens[1] AS input_tokens,
    tokens[2] AS cache_read_tokens,
    tokens[3] AS cache_write_5m_tokens,
    tokens[4] AS cache_write_1h_tokens,
    tokens[5] AS input_audio_tokens,
    tokens[6] AS cache_audio_tokens,
    tokens[7] AS output_tokens,
    tokens[8] AS reasoning_tokens,
    tokens[9] AS output_audio_tokens,
    {{told_web_searches}} AS web_searches,
    multiIf(
        claim_wins, claim_usd,
        list_state IN ('priced', 'partial'), reinterpret(token_femto + fee_femto, 'Decimal(38, 15)'),
        list_state IN ('free', 'flat_rate'), toDecimal128(0, 15),
        NULL
    ) AS cost_usd,
    if(least(list_state IN ('priced', 'partial'), NOT claim_wins), reinterpret(fee_femto, 'Decimal(38, 15)'), NULL) AS tool_fee_usd,
    if(has_claim, claim_usd, NULL) AS claimed_usd,
    if(claim_wins, 'priced', list_state) AS cost_state,
    if(claim_wins, '', list_reason) AS cost_reason,
    if(has_row, price.row_id, 0) AS price_row,
    if(has_row, price.catalogue, '') AS catalogue,
    model_match,
    usage_rule,
    arrayFilter(flag -> flag != '', arrayConcat([
        if({{has_no_id}}, 'id_made', ''), if(is_time_absurd, 'time_assumed', ''), if(is_input_missing, 'input_missing', ''), if(is_output_missing, 'output_missing', ''), if(is_partial, 'usage_partial', ''),
        if(least(is_call, NOT has_usage, said.usage_state = 'missing'), 'usage_missing', ''), if(usage_rule = 'assumed_inclusive', 'convention_assumed', ''),
        if({{told_compaction_input}} + {{told_compaction_output}} > 0, 'compaction', ''), if(greatest(reasoning_apart > 0, tokens[8] > {{told_reasoning}}), 'reasoning_apart', ''),
        if(least(usage_rule = 'proven_exclusive', {{known_scope}}, NOT {{exclusive}}), 'convention_contradicted', ''),
        if(greatest({{told_output_total}} + reasoning_apart < {{told_reasoning}} + {{told_output_audio}}, {{told_input_audio}} - cache_audio != input_audio), 'clipped', ''),
        if(least(writes > {{told_cache_write_5m}} + {{told_cache_write_1h}}, greatest({{told_cache_write_5m}} > 0, {{told_cache_write_1h}} = 0)), 'ttl_assumed', ''),
        if(least(is_counted, model_reason = '', is_host_assumed), 'host_assumed', ''),
        if(least(is_counted, model_reason = '', asked_model NOT IN ('', model)), 'models_differ', ''),
        if(least(is_counted, model_reason = '', ctx != {{unknown_ctx}}, tier_word IN {{unserved_tiers}}), 'tier_assumed', ''),
        if(least(has_row, factor IN {{assumed_factors}}), 'deployment_assumed', ''),
        if(least(has_row, numerator != denominator), 'multiplier', ''), if(has_row, {{factor_words}}[factor + 1], ''),
        if(claim_wins, 'provider_reported', '')
    ], if(has_row, splitByChar(' ', price.notes), []))) AS flags,
    attributes,
    getSetting('log_comment') AS load,
    toDateTime(intDiv({{as_of_ns}}, 1000000000), 'UTC') AS ingested_at
FROM judged
