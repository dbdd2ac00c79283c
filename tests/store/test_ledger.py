"""The way of one batch into the ledger, and once only."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.collector.store.client import Refused, Store
from farthing.collector.store.intake import Intake
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.schema import Ddl
from farthing.economics.prices import load_catalogue
from tests.store.otlp import Told, request

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 1,
}
REQUEST = request([Told(CALL)])
COUNTS = (
    "SELECT (SELECT count() FROM spans) AS spans,"
    " (SELECT sum(calls) FROM runs) AS runs,"
    " (SELECT sum(calls) FROM spend_hourly) AS hours"
)


@pytest.fixture
def new_ledger(new_store: Store) -> Ledger:
    """A ledger in a database of its own."""
    ledger = Ledger(new_store, load_catalogue())
    ledger.open(retention_days=36_500)
    return ledger


def _counts(ledger: Ledger) -> dict[str, int]:
    return ledger.store.rows(COUNTS)[0]


def _started_again(ledger: Ledger) -> Ledger:
    again = Ledger(ledger.store, load_catalogue())
    again.open(retention_days=36_500)
    return again


def _intakes(ledger: Ledger) -> list[str]:
    found = ledger.store.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
        " AND name LIKE 'intake%' ORDER BY name"
    )
    return [row["name"] for row in found]


class _Other(Intake):
    """The intake of a program of another version."""

    _own = "intake_other"


def _other_version(ledger: Ledger) -> Ledger:
    other = _started_again(ledger)
    other._intake = _Other(ledger.store, ledger._ddl, ledger._intake.decoder)
    other._table = other._intake.table()
    return other


def test_a_batch_counts_once_after_a_restart(new_ledger: Ledger) -> None:
    """A batch that was loaded before the collector stopped is not counted again, in any
    table; the next one is."""
    new_ledger.load("a", [REQUEST])
    again = _started_again(new_ledger)
    again.load("a", [REQUEST])
    assert _counts(again) == {"spans": 1, "runs": 1, "hours": 1}
    again.load("b", [REQUEST])
    assert _counts(again) == {"spans": 2, "runs": 2, "hours": 2}


def test_a_batch_counts_once_after_an_upgrade(new_ledger: Ledger) -> None:
    """A batch that a program of another version has loaded is not counted again."""
    other = _other_version(new_ledger)
    other.load("a", [REQUEST])
    again = _started_again(new_ledger)
    again.load("a", [REQUEST])
    again.load("b", [REQUEST])
    assert _counts(again) == {"spans": 2, "runs": 2, "hours": 2}
    ways = again.store.rows("SELECT load, intake FROM spans ORDER BY load")
    assert [row["intake"] for row in ways] == [other._table, again._table]


def test_what_was_loaded_in_part_is_completed(new_ledger: Ledger) -> None:
    """A batch that reached the entries but not the totals, as a kill can leave it, is
    completed when it is sent again, and its entries stay single."""
    new_ledger.store.command("DETACH TABLE runs_view")
    new_ledger.load("a", [REQUEST])
    assert _counts(new_ledger)["runs"] == 0
    new_ledger.store.command("ATTACH TABLE runs_view")
    _started_again(new_ledger).load("a", [REQUEST])
    assert _counts(new_ledger) == {"spans": 1, "runs": 1, "hours": 1}


def test_old_intakes_of_other_versions_are_dropped(new_ledger: Ledger) -> None:
    """Intakes of other programs go when they are old; ours and fresh ones stay."""
    own = _intakes(new_ledger)
    other = _other_version(new_ledger)._table
    new_ledger._intake.drop_old()
    assert _intakes(new_ledger) == [*own, other, f"{other}_view"]
    new_ledger._intake.drop_old(older_than_s=-60)
    assert _intakes(new_ledger) == own


def test_a_program_whose_intake_was_dropped_makes_another(new_ledger: Ledger) -> None:
    """A collector of another version that still runs goes on after its intake was
    dropped, through one with a new name, and what it sends again counts once."""
    other = _other_version(new_ledger)
    other.load("a", [REQUEST])
    dropped = other._table
    new_ledger._intake.drop_old(older_than_s=-60)
    other.load("b", [REQUEST])
    other.load("b", [REQUEST])
    assert _counts(other) == {"spans": 2, "runs": 2, "hours": 2}
    assert dropped not in _intakes(other)
    restarted = _other_version(other)
    restarted.load("a", [REQUEST])
    assert _counts(other) == {"spans": 2, "runs": 2, "hours": 2}


def test_an_intake_without_a_view_is_not_used(new_ledger: Ledger) -> None:
    """A table whose view is not there, or not yet, would lose what is inserted."""
    other = _other_version(new_ledger)
    other.store.command(f"DROP TABLE {other._table}_view")
    assert other._intake.table() != other._table


def test_an_intake_that_cannot_be_made_leaves_nothing(new_ledger: Ledger) -> None:
    """A table without its view would take spans and lose them: it is dropped."""

    class Broken(_Other):
        _own = "intake_broken"

        def statement(self, table: str) -> str:
            return f"SELECT nothing FROM nowhere.{table}"

    own = _intakes(new_ledger)
    broken = Broken(
        new_ledger.store, Ddl(new_ledger.store.address), new_ledger._intake.decoder
    )
    with pytest.raises(Exception, match="nowhere"):
        broken.table()
    assert _intakes(new_ledger) == own


def test_what_is_not_otlp_is_refused(new_ledger: Ledger) -> None:
    """Bytes that are no request are refused, not retried, and nothing is stored."""
    with pytest.raises(Refused):
        new_ledger.load("broken", [b"\xff\xff\xff"])
    assert not new_ledger.has_entries_of("broken")
    assert _counts(new_ledger)["spans"] == 0


def test_a_probe_leaves_no_entry(new_ledger: Ledger) -> None:
    """Trying the store out leaves nothing behind."""
    new_ledger.try_out()
    assert _counts(new_ledger) == {"spans": 0, "runs": 0, "hours": 0}


def test_nothing_is_written_to_the_working_directory(
    new_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine keeps of an insert's schema is kept nowhere."""
    monkeypatch.chdir(tmp_path)
    new_ledger.load("a", [REQUEST])
    assert _counts(new_ledger)["spans"] == 1
    assert list(tmp_path.iterdir()) == []
