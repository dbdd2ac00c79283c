-- Episodes without progress. A finding is named by run, agent, kind and episode; what was
-- written last about it, by `version`, is what is known: read it with FINAL. It can be
-- written any number of times, by several collectors, and is one line.
CREATE TABLE IF NOT EXISTS findings{{local}} {{on_cluster}} (
    run_id String,
    agent LowCardinality(String) COMMENT 'Whose steps they are: gen_ai.agent.name',
    kind LowCardinality(String) COMMENT 'loop, retry_storm, stalled',
    episode UInt32 COMMENT 'From 1, within run, agent and kind',
    version UInt64 COMMENT 'Entries of the run that it is judged by: more entries, newer',
    level LowCardinality(String) COMMENT 'suspected, confirmed; withdrawn, where spans that came late show another picture',
    pattern LowCardinality(String) COMMENT 'repeat, cycle, same_error, same_result, monologue, retries, slow',
    period UInt32 COMMENT 'Calls after which it recurs; 0 if irregular',
    why String COMMENT 'The pattern in words',
    ongoing Bool COMMENT 'Whether the run ended in it, as far as it is known',
    first_time DateTime64(6, 'UTC') COMMENT 'Start of the first repetition',
    at_time DateTime64(6, 'UTC') COMMENT 'Start of the step by which the level was reached',
    last_time DateTime64(6, 'UTC') COMMENT 'Start of its newest step',
    first_trace_id String,
    first_span_id String COMMENT 'The span that tells of the first repetition',
    last_trace_id String,
    last_span_id String,
    span_ids Array(String) COMMENT 'The newest spans of it, at most 12',
    steps UInt64 COMMENT 'Calls in it, from the first repetition',
    calls Int64 COMMENT 'Model calls of the agent since it began',
    tokens Int64 COMMENT 'What they used, input and output',
    cost_usd Decimal(38, 15) COMMENT 'What they cost, as far as it is known',
    unpriced_calls Int64 COMMENT 'Those whose cost is not known: then cost_usd is a lower bound',
    task_type LowCardinality(String),
    business_unit LowCardinality(String),
    team LowCardinality(String),
    user LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    written_at DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = {{versioned_merge_tree}}
ORDER BY (run_id, agent, kind, episode)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

{{#cluster}}
CREATE TABLE IF NOT EXISTS findings {{on_cluster}} AS findings_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'findings_local', cityHash64(run_id));
{{/cluster}}
