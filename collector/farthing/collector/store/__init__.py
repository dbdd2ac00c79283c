"""The ledger in ClickHouse: client, schema, migrations, and the SQL of the way in."""
