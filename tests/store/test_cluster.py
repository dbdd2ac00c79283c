"""The DDL of a cluster: its text, as far as one engine can check it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.retention import Retention, statements
from farthing.collector.store.schema import Ddl, migrations
from farthing.collector.store.text import quoted, sql_file

PASSWORD = "it's; \\ a;\n-- word"
ADDRESS = Address(
    host="db", port=8123, username="o'neil", password=PASSWORD, database="money"
)
CLUSTER = Ddl(ADDRESS, "prod")
SINGLE = Ddl(ADDRESS)
FILES = ["migrations.sql", "dictionaries.sql"]
FILES += [f"{m.version:04}_{m.name}.sql" for m in migrations()]
SHARDED = ("spans", "runs", "spend_hourly", "run_agents", "telemetry_hourly")


def _written(ddl: Ddl) -> Iterator[str]:
    """All DDL that a start on an empty store sends."""
    for name in FILES:
        yield from ddl.statements(sql_file(name))


@pytest.mark.parametrize("ddl", [CLUSTER, SINGLE], ids=["cluster", "single"])
def test_every_statement_is_understood(ddl: Ddl, ledger: Ledger) -> None:
    """The engine parses each statement, whatever the password holds."""
    for statement in _written(ddl):
        ledger.store.rows(f"EXPLAIN AST {statement}")


def test_every_statement_runs_on_every_node() -> None:
    """On a cluster each statement says so; elsewhere none does."""
    for statement in _written(CLUSTER):
        if statement.startswith("INSERT"):
            # One node fills a roll-up, from all shards and for all.
            assert "_local" not in statement
        else:
            assert statement.count("ON CLUSTER 'prod'") == 1, statement
    for statement in _written(SINGLE):
        assert "ON CLUSTER" not in statement
        assert "Replicated" not in statement
        assert "_local" not in statement


@pytest.mark.parametrize("table", SHARDED)
def test_a_plain_name_is_the_whole_cluster(table: str) -> None:
    """Queries are the same: the plain name is distributed over tables of the shards."""
    [distributed] = [
        s for s in _written(CLUSTER) if f" {table} ON" in s and "CREATE" in s
    ]
    assert f"AS {table}_local" in distributed
    assert f"Distributed('prod', 'money', '{table}_local'" in distributed


def test_a_run_is_on_one_shard() -> None:
    """Entries and runs are sharded by run: a run's line is whole on its shard."""
    keys = re.findall(r"'(\w+)_local', (.*)\)", "\n".join(_written(CLUSTER)))
    assert dict(keys) | {"spans": "cityHash64(run_id)"} == dict(keys)
    assert dict(keys) | {"runs": "cityHash64(run_id)"} == dict(keys)
    assert dict(keys) | {"run_agents": "cityHash64(run_id)"} == dict(keys)


def test_roll_ups_stay_on_their_shard() -> None:
    """Views read and write the tables of their own node."""
    views = [s for s in _written(CLUSTER) if "MATERIALIZED VIEW" in s]
    assert len(views) > 1
    for view in views:
        assert re.search(r" TO \w+_local AS\n", view)
        assert re.search(r"\nFROM spans_local\b", view)


def test_what_is_decoded_is_written_to_the_shard_of_its_run(ledger: Ledger) -> None:
    """A batch is inserted into the distributed table, which knows a run's shard."""
    assert re.match(r"(?s)(--.*?\n)*INSERT INTO spans \(", ledger._insert)


def test_tables_are_replicated() -> None:
    """A table of a shard is replicated within it, one of the price book to all."""
    engines = {
        table: (kind, shard)
        for statement in _written(CLUSTER)
        for table, kind, shard in re.findall(
            r"^CREATE TABLE IF NOT EXISTS (\w+) .*ENGINE = Replicated(\w*?)MergeTree"
            r"\('/clickhouse/tables/(\S+)/\{database\}/\{table\}', ",
            statement,
            re.S,
        )
    }
    for table in SHARDED:
        assert engines[f"{table}_local"][1] == "{shard}"
    for table in ("migrations", "catalogues", "prices", "price_ids", "tool_fees"):
        assert engines[table] == ("Replacing", "all")
    tables = re.findall(
        r"^CREATE TABLE IF NOT EXISTS (\w+)", "\n".join(_written(SINGLE)), re.M
    )
    assert len(engines) == len(tables)


def test_retention_reaches_every_node(ledger_store: Store, ledger: Ledger) -> None:
    """Retention is set on the tables of the shards, on every node."""
    assert ledger.store is ledger_store
    in_force = {f"{name}_local": None for name in SHARDED}
    changes = list(statements(in_force, Retention(7, 30, None), ddl=CLUSTER))
    assert [change for change in changes if " + toIntervalDay" in change] == [
        f"ALTER TABLE {table}_local ON CLUSTER 'prod' MODIFY TTL {since}"
        f" + toIntervalDay({days}) SETTINGS materialize_ttl_after_modify = 0"
        for table, days in (("spans", 7), ("runs", 30), ("run_agents", 30))
        for since in ("toDateTime(ingested_at, 'UTC')", "ingested_at")
    ]
    for change in changes:
        ledger_store.rows(f"EXPLAIN AST {change}")


def test_a_dictionary_logs_in_with_the_password_as_it_is(store: Store) -> None:
    """What a password holds stays within its quotes."""
    dictionaries = [s for s in _written(SINGLE) if "CREATE DICTIONARY" in s]
    [login] = re.findall(r"USER (.*) PASSWORD (.*) DB 'money'", dictionaries[0], re.S)
    assert login == (quoted("o'neil"), quoted(PASSWORD))
    [row] = store.rows(f"SELECT {login[0]} AS user, {login[1]} AS password")
    assert row == {"user": "o'neil", "password": PASSWORD}


def test_one_shard_holds_what_one_node_holds(tmp_path: Path, ledger: Ledger) -> None:
    """Loading through distributed tables leaves entries and totals that agree, and a
    batch that is sent again counts once."""
    captures = sorted((Path(__file__).parents[1] / "otlp").glob("*.pb"))
    once, again = _held_twice(tmp_path, "1", *captures)
    assert once == again
    assert once["engine"] == "Distributed"
    assert 0 < once["calls"] < once["spans"] == once["in_runs"]


def test_every_migration_runs_on_several_shards(tmp_path: Path) -> None:
    """What one shard takes two may refuse: rows must know theirs."""
    [held, _] = _held_twice(tmp_path, "2")
    assert held == {"spans": 0, "in_runs": 0, "calls": 0, "engine": "Distributed"}


def _held_twice(folder: Path, shards: str, *captures: Path) -> list[dict[str, Any]]:
    said = subprocess.run(
        [sys.executable, "-m", "tests.store.one_shard", folder, shards, *captures],
        capture_output=True,
        text=True,
        check=True,
    )
    held: list[dict[str, Any]] = json.loads(said.stdout)
    return held
