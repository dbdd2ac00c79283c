"""How long each table keeps its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.retention import Retention, in_force, retain, statements
from farthing.collector.store.schema import Ddl
from farthing.economics.prices import load_catalogue


@pytest.fixture(scope="module")
def other_ledger(ledger_store: Store) -> Iterator[Store]:
    """A ledger whose retention tests change."""
    address = dataclasses.replace(ledger_store.address, database="retained")
    store = Store(address)
    Ledger(store, load_catalogue()).open(retention_days=90)
    yield store
    store.close()


def _ttl(store: Store, table: str) -> str:
    [row] = store.rows(
        "SELECT extract(engine_full, 'TTL (.*?) SETTINGS') AS ttl,"
        " metadata_modification_time AS changed FROM system.tables"
        " WHERE database = currentDatabase() AND name = {name:String}",
        {"name": table},
    )
    return str(row["ttl"])


def test_spans_are_kept_for_the_days_asked_and_totals_for_good(
    other_ledger: Store,
) -> None:
    """Entries go 90 days after they were loaded; what runs and hours cost stays."""
    assert _ttl(other_ledger, "spans") == "ingested_at + toIntervalDay(90)"
    assert _ttl(other_ledger, "runs") == ""
    assert _ttl(other_ledger, "spend_hourly") == ""


@pytest.mark.parametrize("days", [(7, 30, 400), (None, None, None), (90, None, 5)])
def test_each_table_has_its_own_retention(
    other_ledger: Store, days: tuple[int | None, int | None, int | None]
) -> None:
    """Each table is kept as long as the configuration says at the last start."""
    Ledger(other_ledger, load_catalogue()).open(
        retention_days=days[0],
        runs_retention_days=days[1],
        spend_retention_days=days[2],
    )
    kept_of = dict(zip(("spans", "runs", "spend_hourly"), days, strict=True))
    kept_of["run_agents"] = kept_of["runs"]
    kept_of["telemetry_hourly"] = kept_of["spend_hourly"]
    for table, kept in kept_of.items():
        expected = "" if kept is None else f"ingested_at + toIntervalDay({kept})"
        assert _ttl(other_ledger, table) == expected


def test_what_is_in_force_is_not_set_again(other_ledger: Store) -> None:
    """A start with the same retention leaves the tables alone: setting it rewrites."""
    ddl = Ddl(other_ledger.address)
    retain(other_ledger, Retention(11, None, 12), ddl=ddl)
    found = in_force(other_ledger)
    assert list(statements(found, Retention(11, None, 12), ddl=ddl)) == []
    changes = list(statements(found, Retention(13, None, 12), ddl=ddl))
    assert changes
    assert all(change.startswith("ALTER TABLE spans") for change in changes)


def test_a_change_that_was_killed_is_made_again(other_ledger: Store) -> None:
    """Between its statements a table has none that a start would leave alone."""
    ddl = Ddl(other_ledger.address)
    retain(other_ledger, Retention(90, None, None), ddl=ddl)
    wanted = Retention(30, None, None)
    *others, last = statements(in_force(other_ledger), wanted, ddl=ddl)
    for statement in others:
        other_ledger.command(statement)
        assert last in statements(in_force(other_ledger), wanted, ddl=ddl)
        assert list(statements(in_force(other_ledger), Retention(None), ddl=ddl))
    retain(other_ledger, wanted, ddl=ddl)
    assert in_force(other_ledger)["spans"] == 30


def test_a_change_holds_for_what_is_there(other_ledger: Store) -> None:
    """Its parts learn it, though nobody waits for that."""
    retain(other_ledger, Retention(None, None, None), ddl=Ddl(other_ledger.address))
    other_ledger.insert(
        "spans",
        ["run_id", "time", "ingested_at"],
        [["there", "2025-01-01 00:00:00", "2100-01-01 00:00:00"]],
    )
    retain(other_ledger, Retention(10, None, None), ddl=Ddl(other_ledger.address))
    # What is asked later is done later: this waits for what was asked before.
    other_ledger.command("ALTER TABLE spans DELETE WHERE 0 SETTINGS mutations_sync = 1")
    [part] = other_ledger.rows(
        "SELECT toString(delete_ttl_info_max) AS goes FROM system.parts"
        " WHERE active AND table = 'spans' AND database = currentDatabase()"
        " AND rows > 0 AND partition = '20250101'"
    )
    assert part["goes"] == "2100-01-11 00:00:00"


def test_what_is_too_old_goes(other_ledger: Store) -> None:
    """A row that was loaded longer ago than its table keeps it is gone with the next
    merge; one that was loaded today stays, however old its span is."""
    retain(other_ledger, Retention(1, None, None), ddl=Ddl(other_ledger.address))
    for run, loaded in (("old", "2026-01-01 00:00:00"), ("new", "2100-01-01 00:00:00")):
        row = [run, "2025-01-01 00:00:00", loaded]
        other_ledger.insert("spans", ["run_id", "time", "ingested_at"], [row])
    other_ledger.command("OPTIMIZE TABLE spans FINAL")
    left = other_ledger.rows("SELECT run_id FROM spans WHERE run_id != 'there'")
    assert left == [{"run_id": "new"}]
