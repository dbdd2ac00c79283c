"""What the embedded engine wrote is weighed: files that a full disk cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farthing.collector.store.client import Away, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.parts import Parts
from tests.store.otlp import Told, request

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
}
COUNTS = (
    "SELECT (SELECT count() FROM spans WHERE NOT ignore(*)) AS spans,"
    " (SELECT sum(calls) FROM runs) AS runs,"
    " (SELECT sum(calls) FROM spend_hourly) AS hours"
)
PARTS = "SELECT path FROM system.parts WHERE database = currentDatabase() AND active"


@pytest.fixture
def ledger(empty_ledger: Ledger) -> Iterator[Ledger]:
    """An empty ledger that does not merge by itself."""
    empty_ledger.store.command("SYSTEM STOP MERGES")
    yield empty_ledger
    empty_ledger.store.command("SYSTEM START MERGES")


def _newest(store: Store, table: str) -> Path:
    """The folder of a table's newest part."""
    [newest] = store.rows(
        f"{PARTS} AND table = '{table}' ORDER BY max_block_number DESC LIMIT 1"
    )
    return Path(newest["path"])


def _cut_off(store: Store, table: str) -> None:
    """Leave of a table's newest part what a full disk leaves of it."""
    for file in _newest(store, table).iterdir():
        file.write_bytes(b"")


def test_whole_parts_are_left_alone(ledger: Ledger) -> None:
    """Nothing is said of parts that are on the disk."""
    parts = Parts(ledger.store)
    ledger.load("a", [request([Told(CALL)])])
    parts.see_whole()
    assert ledger.store.rows(COUNTS) == [{"spans": 1, "runs": 1, "hours": 1}]


@pytest.mark.parametrize("table", ["spans", "runs", "spend_hourly"])
def test_a_batch_that_was_cut_off_is_loaded_again(ledger: Ledger, table: str) -> None:
    """An insert that succeeded without being written is taken out of that table, and
    the batch, loaded again under its name, counts once in each."""
    parts = Parts(ledger.store)
    ledger.load("a", [request([Told(CALL)])])
    parts.see_whole()
    ledger.load("b", [request([Told(CALL), Told(CALL)])])
    _cut_off(ledger.store, table)
    with pytest.raises(Away, match=f"disk was full .*{table}"):
        parts.see_whole()
    ledger.load("b", [request([Told(CALL), Told(CALL)])])
    parts.see_whole()
    assert ledger.store.rows(COUNTS) == [{"spans": 3, "runs": 3, "hours": 3}]


@pytest.mark.parametrize(
    ("name", "left_bytes"),
    [("count.txt", 0), ("columns.txt", 0), ("columns_substreams.txt", 4096)],
)
def test_one_small_file_that_was_cut_off_is_seen(
    ledger: Ledger, name: str, left_bytes: int
) -> None:
    """A part is not whole where a single file of it is cut off, by its end or wholly,
    however small it is beside the rest."""
    parts = Parts(ledger.store)
    ledger.load("a", [request([Told(CALL)])])
    file = _newest(ledger.store, "spans") / name
    assert file.stat().st_size > left_bytes
    file.write_bytes(file.read_bytes()[:left_bytes])
    with pytest.raises(Away, match=r"disk was full .*spans"):
        parts.see_whole()
    ledger.load("a", [request([Told(CALL)])])
    parts.see_whole()
    assert ledger.store.rows(COUNTS) == [{"spans": 1, "runs": 1, "hours": 1}]


def test_a_merge_that_was_cut_off_is_undone(ledger: Ledger) -> None:
    """What was merged is there again after a merge that was not written."""
    parts = Parts(ledger.store)
    for name in ("a", "b"):
        ledger.load(name, [request([Told(CALL)])])
    ledger.store.command("SYSTEM START MERGES")
    ledger.store.command("OPTIMIZE TABLE spans FINAL")
    _cut_off(ledger.store, "spans")
    with pytest.raises(Away, match="disk was full"):
        parts.see_whole()
    parts.see_whole()
    assert ledger.store.rows(COUNTS) == [{"spans": 2, "runs": 2, "hours": 2}]
