-- One line per run. Agent and model are those of its spans, which a run can have many of.
(
    SELECT
        t.run_id AS run_id, max(t.task_type) AS task_type, max(t.business_unit) AS business_unit, max(t.team) AS team,
        max(t.user) AS user, max(t.service) AS service, max(t.environment) AS environment, toString(max(t.agent)) AS agent,
        toDateTime64(min(t.start_time), 6, 'UTC') AS start_time, toDateTime64(max(t.end_time), 6, 'UTC') AS end_time, sum(t.calls) AS calls,
        sum(t.unpriced_calls) AS unpriced_calls, sum(t.partial_calls) AS partial_calls, sum(t.tool_calls) AS tool_calls,
        sum(t.errors) AS errors, sum({{prompt}}) AS prompt_tokens, sum(t.cache_read_tokens + t.cache_audio_tokens) AS cached_tokens,
        sum({{tokens}}) AS tokens,
        if(sum(t.calls) > 0 AND sum(t.calls) = sum(t.unpriced_calls), NULL, sum(t.cost_usd)) AS cost_usd
    FROM runs AS t
    GROUP BY t.run_id
)
