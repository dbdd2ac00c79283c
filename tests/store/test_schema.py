"""Migrations: once, in order, by any number of collectors at a time."""

from __future__ import annotations

import dataclasses
import re
import threading

import pytest

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import SCHEMA_AS_TEXT
from farthing.collector.store.schema import (
    OLDEST_VERSION,
    Ddl,
    Migration,
    _apply,
    check_version,
    migrate,
    migrations,
)
from farthing.errors import ConfigError

FIRST = Migration(
    1, "first", "CREATE TABLE IF NOT EXISTS a (n Int8) ENGINE = Memory;\n"
)
SECOND = Migration(
    2, "second", "CREATE TABLE IF NOT EXISTS b (n Int8) ENGINE = Memory;\n"
)
BROKEN = Migration(
    2,
    "broken",
    "CREATE TABLE IF NOT EXISTS b (n Int8) ENGINE = Memory;\n"
    "CREATE TABLE IF NOT EXISTS c (n NoType) ENGINE = Memory;\n",
)


def _tables(store: Store) -> set[str]:
    found = store.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
    )
    return {row["name"] for row in found} - {"migrations"}


def _done(store: Store) -> list[int]:
    found = store.rows("SELECT DISTINCT version FROM migrations WHERE done ORDER BY 1")
    return [row["version"] for row in found]


def test_migrations_are_numbered_without_gaps() -> None:
    """Migrations are numbered from 1, and each statement may be repeated."""
    assert [m.version for m in migrations()] == list(range(1, len(migrations()) + 1))
    for migration in migrations():
        assert re.findall(r"^CREATE (?!.* IF NOT EXISTS )", migration.text, re.M) == []


def test_a_ledger_is_brought_up_to_date(new_store: Store) -> None:
    """What a ledger lacks is applied in order, and remembered."""
    ddl = Ddl(new_store.address)
    migrate(new_store, ddl=ddl, known=[FIRST])
    assert (_tables(new_store), _done(new_store)) == ({"a"}, [1])
    migrate(new_store, ddl=ddl, known=[FIRST, SECOND])
    assert (_tables(new_store), _done(new_store)) == ({"a", "b"}, [1, 2])


def test_what_is_applied_is_not_applied_again(new_store: Store) -> None:
    """A second start runs none of the statements."""
    ddl = Ddl(new_store.address)
    migrate(new_store, ddl=ddl, known=[FIRST])
    new_store.command("DROP TABLE a")
    migrate(new_store, ddl=ddl, known=[FIRST])
    assert _tables(new_store) == set()


def test_a_migration_that_was_cut_short_is_done_again(new_store: Store) -> None:
    """A migration that failed halfway is not remembered as done, and the same text
    completes it at the next start; another text of it is refused, for it would keep the
    tables of the first."""
    ddl = Ddl(new_store.address)
    with pytest.raises(ConfigError, match=r"0002 \(broken\) failed at chdb:.*NoType"):
        migrate(new_store, ddl=ddl, known=[FIRST, BROKEN])
    assert (_tables(new_store), _done(new_store)) == ({"a", "b"}, [1])
    with pytest.raises(ConfigError, match=r"0002 \(second\) .* is not the one of this"):
        migrate(new_store, ddl=ddl, known=[FIRST, SECOND])
    with pytest.raises(ConfigError, match=r"0002 \(broken\) failed"):
        migrate(new_store, ddl=ddl, known=[FIRST, BROKEN])


def test_a_newer_ledger_is_left_alone(new_store: Store) -> None:
    """A program refuses a ledger that has a migration that it does not know."""
    ddl = Ddl(new_store.address)
    migrate(new_store, ddl=ddl, known=[FIRST, SECOND])
    with pytest.raises(
        ConfigError, match=r"newer Farthing .*0002.*upgrade this program"
    ):
        migrate(new_store, ddl=ddl, known=[FIRST])


def test_a_changed_migration_is_noticed(new_store: Store) -> None:
    """A migration whose text changed after it was applied is an error."""
    ddl = Ddl(new_store.address)
    migrate(new_store, ddl=ddl, known=[FIRST])
    changed = dataclasses.replace(FIRST, text=FIRST.text + "-- more\n")
    with pytest.raises(ConfigError, match=r"0001 \(first\) of the ledger at chdb:"):
        migrate(new_store, ddl=ddl, known=[changed])


def test_a_ledger_of_one_node_is_not_taken_for_one_of_a_cluster(
    new_store: Store,
) -> None:
    """The cluster that is configured must be the one that the tables were made for."""
    migrate(new_store, ddl=Ddl(new_store.address), known=[])
    row = [1, FIRST.name, FIRST.checksum, "prod", True]
    columns = ["version", "name", "checksum", "cluster", "done"]
    new_store.insert("migrations", columns, [row])
    with pytest.raises(ConfigError, match=r"made with cluster = 'prod', not ''"):
        migrate(new_store, ddl=Ddl(new_store.address), known=[FIRST])


def test_a_collector_that_is_behind_another_undoes_nothing(new_store: Store) -> None:
    """One that comes to a migration when another has done it, and those after it."""
    ddl, known = Ddl(new_store.address), migrations()
    schema = """
        SELECT name, create_table_query FROM system.tables
        WHERE database = currentDatabase() ORDER BY name
    """
    migrate(new_store, ddl=ddl, known=known)
    before = new_store.rows(schema)
    for migration in known:
        _apply(new_store, migration, ddl=ddl)
        assert new_store.rows(schema) == before
    assert _done(new_store) == [m.version for m in known]


def test_collectors_that_start_at_once_do_no_harm(new_store: Store) -> None:
    """Several that migrate an empty store at the same moment all succeed, and leave
    what one would have left."""
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def start() -> None:
        try:
            ready.wait()
            migrate(new_store, ddl=Ddl(new_store.address), known=migrations())
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert _done(new_store) == [m.version for m in migrations()]
        new_store.command(f"DROP DATABASE {new_store.database} SYNC")
        new_store.create_database()


@pytest.mark.parametrize("version", ["24.8.1.2", "25.5.10.1", "1.2"])
def test_an_old_clickhouse_is_refused(version: str) -> None:
    """A server that lacks what the ledger uses is named, with what is needed."""
    with pytest.raises(ConfigError, match=rf"x is ClickHouse {version}: .* 25\.6 or"):
        check_version(version, where="x")


@pytest.mark.parametrize("version", ["25.6.1.1", "25.10.2.3", "26.9.2.1"])
def test_a_new_enough_clickhouse_is_taken(version: str) -> None:
    """Versions are compared as numbers."""
    check_version(version, where="x")


def test_the_oldest_version_has_every_setting(store: Store) -> None:
    """The oldest version that is accepted knows the settings that inserts carry, as far
    as the engine keeps a history of them."""
    found = store.rows(
        "SELECT max(arrayMap(part -> toUInt16(part), splitByChar('.', version))) AS v"
        " FROM (SELECT name, min(version) AS version FROM (SELECT version,"
        " c.name AS name FROM system.settings_changes ARRAY JOIN changes AS c)"
        " WHERE name LIKE 'format_schema_%' GROUP BY name)"
    )
    assert "format_schema_source" in SCHEMA_AS_TEXT
    assert tuple(found[0]["v"]) == OLDEST_VERSION
