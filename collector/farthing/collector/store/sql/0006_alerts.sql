-- Alerts, as they were told. A line per incident, named by `id`; what was written last
-- about it, by `version`, is what is known: read it with FINAL. The state that decides is
-- beside the spool; this is for those who look, and it is written until it is true.
CREATE TABLE IF NOT EXISTS alert_instances{{local}} {{on_cluster}} (
    id String COMMENT 'The same from the first message to the resolve',
    rule LowCardinality(String) COMMENT 'Name of the rule',
    subject String COMMENT 'Identity of what it is about, within the rule',
    shown String COMMENT 'What people call it: a run, a budget and its period',
    state LowCardinality(String) COMMENT 'firing, acknowledged, resolved',
    severity LowCardinality(String) COMMENT 'info, warning, error, critical',
    level UInt32 COMMENT 'How often it escalated',
    title String,
    summary String,
    owner LowCardinality(String) COMMENT 'Who is to act, as configured',
    muted String COMMENT 'Why nobody is told at present; empty where they are',
    unit LowCardinality(String) COMMENT 'Of value, peak and threshold: usd, usd_per_hour, ratio, share, tokens, calls, seconds, count',
    value Decimal(38, 15) COMMENT 'The last that was seen',
    peak Decimal(38, 15) COMMENT 'The highest since it opened',
    threshold Decimal(38, 15),
    lower_bound Bool COMMENT 'Whether value is one: some calls have no known cost',
    cost_usd Nullable(Decimal(38, 15)) COMMENT 'What it has cost so far; NULL where that is not known',
    burn_usd_per_hour Nullable(Decimal(38, 15)) COMMENT 'What it costs while it goes on; NULL where that is not known',
    since DateTime64(6, 'UTC') COMMENT 'When the trouble began',
    opened_at DateTime64(6, 'UTC') COMMENT 'First seen above the threshold',
    fired_at DateTime64(6, 'UTC'),
    resolved_at Nullable(DateTime64(6, 'UTC')),
    why_resolved LowCardinality(String) COMMENT 'cleared, ended, withdrawn …',
    acknowledged_by String,
    run_id String,
    task_type LowCardinality(String),
    business_unit LowCardinality(String),
    team LowCardinality(String),
    user LowCardinality(String),
    agent LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    labels Map(LowCardinality(String), String) COMMENT 'All labels, route included',
    members Array(String) COMMENT 'Of an alert that stands for others: their subjects',
    channels Array(String) COMMENT 'Channels that heard of it',
    version UInt64 COMMENT 'Microseconds since 1970: when this was known',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = {{versioned_merge_tree}}
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

{{#cluster}}
CREATE TABLE IF NOT EXISTS alert_instances {{on_cluster}} AS alert_instances_local
ENGINE = Distributed({{cluster}}, '{{database}}', 'alert_instances_local', cityHash64(id));
{{/cluster}}
