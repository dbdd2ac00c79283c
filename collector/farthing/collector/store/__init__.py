"""The ledger in ClickHouse: client, schema and migrations, and the SQL of the way in."""
