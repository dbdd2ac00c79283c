-- The agent of a run is the one that began first; before, it was the last in the alphabet.
ALTER TABLE runs{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS first_agent AggregateFunction(argMin, String, Tuple(DateTime64(6, 'UTC'), Int64))
    COMMENT 'gen_ai.agent.name of the span that began first, the longer of two, among those with an agent' AFTER environment;

{{#cluster}}
ALTER TABLE runs {{on_cluster}}
    ADD COLUMN IF NOT EXISTS first_agent AggregateFunction(argMin, String, Tuple(DateTime64(6, 'UTC'), Int64)) AFTER environment;
{{/cluster}}

-- A view of another name, not MODIFY QUERY: until it is opened anew, a view that was
-- modified knows batches by other tokens, and one that is repeated would count twice.
CREATE MATERIALIZED VIEW IF NOT EXISTS runs_first_agent_view {{on_cluster}} TO runs{{local}} AS
SELECT
    run_id,
    max(task_type) AS task_type,
    max(business_unit) AS business_unit,
    max(team) AS team,
    max(user) AS user,
    max(service) AS service,
    max(environment) AS environment,
    argMinStateIf(agent::String, (time - toIntervalMicrosecond(duration_us), -duration_us), agent != '') AS first_agent,
    min(time - toIntervalMicrosecond(duration_us)) AS start_time,
    max(time) AS end_time,
    countIf(entry = 'span') AS spans,
    sum(s.calls) AS calls,
    sumIf(s.calls, cost_state IN ('unpriced', 'no_usage')) AS unpriced_calls,
    sumIf(s.calls, cost_state = 'partial') AS partial_calls,
    sum(tool_calls) AS tool_calls,
    sum(errors) AS errors,
    sum(input_tokens) AS input_tokens,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(input_audio_tokens) AS input_audio_tokens,
    sum(cache_audio_tokens) AS cache_audio_tokens,
    sum(output_tokens) AS output_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(output_audio_tokens) AS output_audio_tokens,
    sum(web_searches) AS web_searches,
    sum(ifNull(cost_usd, 0)) AS cost_usd,
    sum(ifNull(tool_fee_usd, 0)) AS tool_fee_usd,
    sum(ifNull(claimed_usd, 0)) AS claimed_usd,
    max(ingested_at) AS ingested_at
FROM spans{{local}} AS s
GROUP BY run_id;

DROP VIEW IF EXISTS runs_view {{on_cluster}};

-- What is there already, after what comes: an agent that is told twice is still the first.
INSERT INTO runs (run_id, first_agent, start_time, ingested_at)
SELECT
    run_id,
    argMinStateIf(agent::String, (a.start_time, toInt64(0)), agent != ''),
    min(a.start_time),
    max(a.ingested_at)
FROM run_agents AS a
GROUP BY run_id
SETTINGS distributed_foreground_insert = 1;

{{#cluster}}
ALTER TABLE runs {{on_cluster}} DROP COLUMN IF EXISTS agent;
{{/cluster}}

ALTER TABLE runs{{local}} {{on_cluster}} DROP COLUMN IF EXISTS agent;
