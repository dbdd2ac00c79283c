-- What is known of a run, from its line in a table with the alias t. Its agent is the first of those that it has.
t.run_id AS run_id, toString(t.task_type) AS task_type, toString(t.business_unit) AS business_unit, toString(t.team) AS team,
toString(t.user) AS user, toString(t.service) AS service, toString(t.environment) AS environment, t.began_by.3 AS agent,
toDateTime64(t.start_time, 6, 'UTC') AS start_time, toDateTime64(t.end_time, 6, 'UTC') AS end_time, toInt64(t.calls) AS calls,
toInt64(t.unpriced_calls) AS unpriced_calls, toInt64(t.partial_calls) AS partial_calls, toInt64(t.tool_calls) AS tool_calls,
toInt64(t.errors) AS errors, {{prompt}} AS prompt_tokens, t.cache_read_tokens + t.cache_audio_tokens AS cached_tokens,
{{tokens}} AS tokens,
if(t.calls > 0 AND t.calls = t.unpriced_calls, NULL, toDecimal128(t.cost_usd, 15)) AS cost_usd
