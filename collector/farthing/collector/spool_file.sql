-- The spool's tables, made in one transaction in a file that is new.
BEGIN IMMEDIATE;

-- AUTOINCREMENT: an id is never used again, so a range of ids is a batch for good.
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_s REAL NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- No index on the digest: its order is chance, so each request would cost a page or two
-- of writing. The set in memory is the index, and is made from this table.
CREATE TABLE seen (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, seen_s REAL NOT NULL);

-- The batch that is being loaded, if there is one.
CREATE TABLE batch (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    name TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);

PRAGMA user_version = 1;
COMMIT;
