"""What the embedded engine remembers of inserts is made true at a ledger's opening."""

from __future__ import annotations

from pathlib import Path

from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.store.otlp import Told, request

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
}
CALLS = "SELECT (SELECT sum(calls) FROM spans) AS spans, sum(calls) AS runs FROM runs"
LOGS = (
    "SELECT data_paths[1] AS folder FROM system.tables"
    " WHERE database = currentDatabase() AND name LIKE {table:String}"
)
CUT_OFF = "1\tall_9_9_1\tall_123"


def test_a_record_that_a_full_disk_cut_off_hides_no_other(new_store: Store) -> None:
    """The engine reads nothing of its log beyond a record that is cut off; once the
    ledger was opened, a batch whose record is behind it still counts once."""
    opened(new_store).load("a", [request([Told(CALL)])])
    [log] = logs(new_store, "runs")
    new_store.command("DETACH TABLE runs")
    log.write_text(CUT_OFF + log.read_text())
    new_store.command("ATTACH TABLE runs")
    opened(new_store).load("a", [request([Told(CALL)])])
    assert new_store.rows(CALLS) == [{"spans": 1, "runs": 1}]


def test_what_is_true_stays_as_it_is(new_store: Store) -> None:
    """Logs in which every token has its rows, merged or not, are not written anew."""
    ledger = opened(new_store)
    for name in ("a", "b", "c"):
        ledger.load(name, [request([Told(CALL)])])
    new_store.command("OPTIMIZE TABLE spans FINAL")
    before = {log: log.stat().st_ino for log in logs(new_store)}
    opened(new_store)
    assert {log: log.stat().st_ino for log in logs(new_store)} == before


def opened(store: Store) -> Ledger:
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=36_500)
    return ledger


def logs(store: Store, table: str = "%") -> list[Path]:
    folders = [Path(row["folder"]) for row in store.rows(LOGS, {"table": table})]
    return [log for folder in folders for log in folder.glob("deduplication_logs/*")]
