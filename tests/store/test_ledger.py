"""The way of one batch into the ledger, and once only."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.collector.store.client import Refused, Store
from farthing.collector.store.ledger import Ledger, of_batches
from farthing.economics.prices import load_catalogue
from tests.store.otlp import DEFAULT_END_S, Told, request

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 1,
}
REQUEST = request([Told(CALL)])
MANY = [request([Told(CALL, resource={"service.name": f"{n}"})]) for n in range(20)]
COUNTS = (
    "SELECT (SELECT count() FROM spans) AS spans,"
    " (SELECT sum(calls) FROM runs) AS runs,"
    " (SELECT sum(calls) FROM spend_hourly) AS hours"
)


@pytest.fixture
def new_ledger(new_store: Store) -> Ledger:
    """A ledger in a database of its own, whose tables a test may change."""
    ledger = Ledger(new_store, load_catalogue())
    ledger.open(retention_days=None)
    return ledger


def _counts(ledger: Ledger) -> dict[str, int]:
    return ledger.store.rows(COUNTS)[0]


def _started_again(ledger: Ledger) -> Ledger:
    again = Ledger(ledger.store, load_catalogue())
    again.open(retention_days=None)
    return again


def _other_version(ledger: Ledger) -> Ledger:
    """A program of another version: it decodes by another text."""
    other = _started_again(ledger)
    other._insert = other._insert.replace(" AS decoding", "|| '-other' AS decoding")
    return other


def test_a_batch_counts_once_after_a_restart(empty_ledger: Ledger) -> None:
    """A batch that was loaded before the collector stopped is not counted again, in any
    table; the next one is."""
    empty_ledger.load("a", [REQUEST])
    again = _started_again(empty_ledger)
    again.load("a", [REQUEST])
    assert _counts(again) == {"spans": 1, "runs": 1, "hours": 1}
    again.load("b", [REQUEST])
    assert _counts(again) == {"spans": 2, "runs": 2, "hours": 2}


def test_where_a_batch_is_looked_for(new_ledger: Ledger) -> None:
    """Entries of a batch are found without reading what was loaded days before, even
    where they came under a clock that was set back since; those of a batch whose name
    has no time, among all."""
    new_ledger.store.command("SYSTEM STOP MERGES spans")
    names = ["20260921T120000Z-a", "20260925T120000Z-b", "20260925T115000Z-c", "named"]
    for name in names:
        new_ledger.load(name, [REQUEST])
    looked_for = (
        (names[1:2], 3),
        (names[1:3], 3),
        (names[:1], 4),
        (names[:2], 4),
        (names, 4),
    )
    for wanted, rows in looked_for:
        of = f"FROM spans WHERE {of_batches(wanted)}"
        found = new_ledger.store.rows(f"SELECT load {of}")
        assert sorted(row["load"] for row in found) == sorted(wanted)
        [read] = new_ledger.store.rows(f"EXPLAIN ESTIMATE SELECT any(run_id) {of}")
        assert read["rows"] == rows


def test_a_batch_counts_once_after_an_upgrade(empty_ledger: Ledger) -> None:
    """A batch that a program of another version has loaded is not counted again."""
    other = _other_version(empty_ledger)
    other.load("a", [REQUEST])
    again = _started_again(empty_ledger)
    again.load("a", [REQUEST])
    again.load("b", [REQUEST])
    assert _counts(again) == {"spans": 2, "runs": 2, "hours": 2}
    by = again.store.rows("SELECT decoding FROM spans ORDER BY load")
    assert [row["decoding"].endswith("-other") for row in by] == [True, False]


def test_what_was_loaded_in_part_is_completed(new_ledger: Ledger) -> None:
    """A batch that reached the entries but not the totals, as a kill can leave it, is
    completed when it is sent again, and its entries stay single."""
    new_ledger.store.command("DETACH TABLE runs_first_agent_view")
    new_ledger.load("a", [REQUEST])
    assert _counts(new_ledger)["runs"] == 0
    new_ledger.store.command("ATTACH TABLE runs_first_agent_view")
    _started_again(new_ledger).load("a", [REQUEST])
    assert _counts(new_ledger) == {"spans": 1, "runs": 1, "hours": 1}


def test_a_batch_of_many_blocks_counts_once(empty_ledger: Ledger) -> None:
    """A batch that is read in more than one block is written as one, under its name."""
    large = [
        request([Told({**CALL, "padding": f"{i:03}" * 250_000})]) for i in range(24)
    ]
    empty_ledger.load("a", large)
    _started_again(empty_ledger).load("a", large)
    assert _counts(empty_ledger) == {"spans": 24, "runs": 24, "hours": 24}
    written = empty_ledger.store.rows(
        "SELECT count() AS parts FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'spans' AND active"
    )
    assert written == [{"parts": 1}]


def test_a_clock_that_cannot_be_right_is_replaced_by_the_batch_s(
    empty_ledger: Ledger,
) -> None:
    """A span of the year 1970 is put at the time of its batch's name, whenever it is
    loaded: on the next day it would be another entry, and count twice."""
    odd = request([Told(CALL, end_s=1)])
    for _ in range(2):
        empty_ledger.load("20260228T235959Z-0123456789abcdef", [odd])
    [row] = empty_ledger.store.rows("SELECT toString(time) AS at, flags FROM spans")
    assert row["at"].startswith("2026-02-28 23:59:59")
    assert "time_assumed" in row["flags"]


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [(0, DEFAULT_END_S), (DEFAULT_END_S + 9, DEFAULT_END_S), (DEFAULT_END_S, 0)],
)
def test_a_span_without_one_of_its_times_took_no_time(
    empty_ledger: Ledger, start_s: int, end_s: int
) -> None:
    """A start or an end that is not told, or cannot be, makes no span of decades, and
    its run begins no earlier than it ended."""
    empty_ledger.load("a", [request([Told(CALL, start_s=start_s, end_s=end_s)])])
    [row] = empty_ledger.store.rows(
        "SELECT duration_us, start_time = end_time AS is_moment FROM spans, runs"
    )
    assert row == {"duration_us": 0, "is_moment": 1}


def test_a_span_without_an_end_is_of_the_time_when_it_began(
    empty_ledger: Ledger,
) -> None:
    """It is priced by what held then, not by what holds when it is loaded."""
    told = Told(CALL, start_s=DEFAULT_END_S, end_s=0)
    empty_ledger.load("20261126T000000Z-0123456789abcdef", [request([told])])
    [row] = empty_ledger.store.rows(
        "SELECT toUnixTimestamp(time) AS at, flags FROM spans"
    )
    assert row == {"at": DEFAULT_END_S, "flags": ["time_assumed"]}


def test_attributes_are_scalars_and_lists_of_strings(empty_ledger: Ledger) -> None:
    """What no column holds is kept as text, a list of strings joined by commas; of what
    is empty, or neither, there is no trace."""
    others = {
        "text": "a",
        "count": 0,
        "ratio": 0.5,
        "truth": False,
        "tags": ["a", "b"],
        "numbers": [1],
        "nothing": "",
        "empty": [],
    }
    empty_ledger.load("a", [request([Told({**CALL, **others})])])
    [row] = empty_ledger.store.rows("SELECT attributes FROM spans")
    assert row["attributes"] == {
        "text": "a",
        "count": "0",
        "ratio": "0.5",
        "truth": "false",
        "tags": "a,b",
    }


def test_what_is_not_otlp_is_refused(empty_ledger: Ledger) -> None:
    """Bytes that are no request are refused, not retried, and nothing is stored."""
    with pytest.raises(Refused):
        empty_ledger.load("broken", [b"\xff\xff\xff"])
    assert not empty_ledger.has_entries_of("broken")
    assert _counts(empty_ledger)["spans"] == 0


def test_a_probe_leaves_no_entry(empty_ledger: Ledger) -> None:
    """Trying the store out leaves nothing behind."""
    empty_ledger.try_out()
    assert _counts(empty_ledger) == {"spans": 0, "runs": 0, "hours": 0}


def test_nothing_is_written_to_the_working_directory(
    empty_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine keeps of an insert's schema is kept nowhere."""
    monkeypatch.chdir(tmp_path)
    empty_ledger.load("a", [REQUEST])
    assert _counts(empty_ledger)["spans"] == 1
    assert list(tmp_path.iterdir()) == []


def test_roll_ups_that_an_old_ledger_lacks_are_filled_once(new_ledger: Ledger) -> None:
    """A roll-up of a later version holds what was loaded before it, once, also where
    its migration is done again; and then what comes."""
    new_ledger.load("before", MANY)
    store = new_ledger.store
    for table in ("telemetry_hourly", "run_agents"):
        store.command(f"DROP VIEW {table}_view")
        store.command(f"DROP TABLE {table}")
    for _ in range(2):
        store.command(
            "ALTER TABLE migrations DELETE WHERE version = 8",
            settings={"mutations_sync": 2},
        )
        again = _started_again(new_ledger)
    filled = (
        "SELECT (SELECT sum(spans) FROM telemetry_hourly) AS told,"
        " (SELECT sum(calls) FROM run_agents) AS calls"
    )
    assert store.rows(filled) == [{"told": len(MANY), "calls": len(MANY)}]
    again.load("after", [REQUEST])
    assert store.rows(filled) == [{"told": 1 + len(MANY), "calls": 1 + len(MANY)}]
