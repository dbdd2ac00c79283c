-- What the alerts remember, in one SQLite file: state and outbox change together.
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    open INTEGER NOT NULL,
    seen_at TEXT NOT NULL,
    unpublished INTEGER NOT NULL,
    told TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_open_incident ON incidents (rule, subject) WHERE open;
CREATE INDEX IF NOT EXISTS unpublished_incidents ON incidents (id) WHERE unpublished;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    alert_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    alert TEXT NOT NULL,
    next_try TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS waiting_notices ON outbox (alert_id, channel, sequence) WHERE status = 'waiting';
CREATE INDEX IF NOT EXISTS told_notices ON outbox (channel, alert_id, sequence);
CREATE TABLE IF NOT EXISTS provider_references (
    alert_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    told TEXT NOT NULL,
    PRIMARY KEY (alert_id, channel)
) STRICT;
CREATE TABLE IF NOT EXISTS silences (id TEXT PRIMARY KEY, until TEXT NOT NULL, told TEXT NOT NULL) STRICT;
-- What people ask for: applied by the evaluator, which may be in another process.
CREATE TABLE IF NOT EXISTS wishes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id TEXT NOT NULL,
    wish TEXT NOT NULL,
    person TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS evaluations (
    rule TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    took_ms INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    problem TEXT NOT NULL
) STRICT;
-- What `farthing budgets set` and `stop` declare; the collector reads it while it runs.
CREATE TABLE IF NOT EXISTS budgets (name TEXT PRIMARY KEY, told TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS stop_orders (id TEXT PRIMARY KEY, told TEXT NOT NULL) STRICT;
