-- OTLP requests in, ledger entries out: one row per GenAI span.
--
-- What stands in double braces is filled in by decode.py from the dialects and prices.
-- Every insert pays for the analysis of this statement once, by levels times columns and
-- by constants. So what only the last step needs travels in two tuples (`head`, `said`),
-- what was used is dropped, and steps that do not depend on each other share a level.
-- AND and OR would cost time that grows with the cube of the depth; least and greatest
-- of two truths mean the same. A name within a level may be used there once only: each
-- further use would repeat its expression.
WITH
-- 1. A resource: who runs. Read once, not once per span.
resources AS (
    SELECT r.resource.attributes.key AS keys, r.resource.attributes.value.string_value AS texts, r.scope_spans AS scope_spans
    FROM (SELECT arrayJoin(resource_spans) AS r FROM {{intake}})
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
        resource,
        s.scope.name AS scope,
        s.scope.version AS scope_version,
        {{dialect_no}} AS dialect_no,
        arrayJoin(s.spans) AS s
    FROM scopes
),
-- 3. A span: which of its attributes holds which field, and every value as text.
keyed AS (
    SELECT
        resource,
        dialect_no,
        CAST(tuple(
            s.trace_id, s.span_id, s.parent_span_id, s.name, scope, scope_version,
            s.start_time_unix_nano, s.end_time_unix_nano, s.status.code
        ), 'Tuple(trace String, span String, parent String, name String, scope LowCardinality(String), scope_version LowCardinality(String), start_ns UInt64, end_ns UInt64, status Int32)') AS head,
        s.attributes.key AS keys,
        arrayMap(k -> {{slot_table}}[dialect_no * {{keys_count}} + transform(k, {{keys}}, {{key_numbers}}, {{keys_count}}::UInt16)], s.attributes.key) AS slots,
        {{span_texts}} AS texts
    FROM scoped
),
-- 4. Fields: what the emitter said, each under one name. A count that is not a whole
-- number reads as -1, which step 6 refuses; the zero before it makes an absent one 0.
fields AS (
    SELECT
        head,
        dialect_no,
        CAST(tuple(
        {{text_fields}}
        ), {{text_types}}) AS said,
        [
        {{number_fields}}
        ] AS counts,
        {{has_input}} AS has_input,
        {{has_output}} AS has_output,
        mapFilter((k, v) -> NOT match(k, {{content}}), mapFromArrays(
            arrayFilter((k, slot) -> slot = 0, keys, slots),
            arrayFilter((t, slot) -> slot = 0, texts, slots)
        )) AS attributes
    FROM keyed
),
worded AS (
    SELECT
        *,
        greatest(arrayMin(counts) < 0, arrayMax(counts) > {{most_tokens}}) AS is_absurd,
        greatest(
            has_input, has_output, {{any_cached}},
            arrayMin(counts) < 0, arrayMax(counts) > {{most_tokens}}
        ) AS has_usage,
        -- A clock that cannot be right is replaced by ours, and the row says so.
        greatest(head.end_ns < 946684800000000000, head.end_ns > toUnixTimestamp64Nano(now64(9)) + 86400000000000) AS is_time_absurd,
        toLowCardinality({{provider_word}}) AS provider_word,
        toLowCardinality({{host_word}}) AS host_word,
        toLowCardinality({{ref}}) AS ref
    FROM fields
),
-- 5. What kind of span it is.
kinds AS (
    SELECT
        * EXCEPT has_output,
        multiIf(
            said.operation != '', transform(said.operation, {{operations}}, {{operation_kinds}}, 'other'),
            NOT has_usage, '',
            said.request_model != '', 'model_call',
            ''
        ) AS kind,
        if(is_time_absurd, toUnixTimestamp64Nano(now64(9)), head.end_ns)::Int64 AS end_ns,
        {{provider_by_name}} AS named_provider,
        {{server}} AS server
    FROM worded
),
-- 6. Buckets: token counts that do not overlap. usage.py is the same in Python.
-- 7. The model, beside it: names in normal form, then found in the price book or not.
counted AS (
    SELECT
        *,
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
        ) AS provider_reason
    FROM counted
)
SELECT 1
