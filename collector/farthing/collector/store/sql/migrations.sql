-- Which migrations the ledger has, and which were begun: a row of each, of which the one
-- that is done wins.
CREATE TABLE IF NOT EXISTS migrations {{on_cluster}} (
    version UInt32,
    name String,
    checksum String COMMENT 'SHA-256 of its text',
    cluster String COMMENT 'The cluster that the tables were made for',
    done Bool,
    at DateTime('UTC') DEFAULT now()
) ENGINE = {{replacing_merge_tree}} ORDER BY (version, checksum, cluster, done)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
