"""Re-pricing is killed again and again, and comes out as if it never was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DELAYS_MS = (0.2, 3, 8, 15, 25)
"""From the moment a batch is on its way: in its file, in the ledger, in a roll-up."""
LOADING = """
import sys
from pathlib import Path
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue
from tests.reprice.books import calls, load_calls
store = Store(Address(path=Path(sys.argv[1]) / "ledger"))
ledger = Ledger(store, load_catalogue())
ledger.open(retention_days=36500)
load_calls(ledger, "calls", calls(41, 400))
store.close()
"""
LOOKING = """
import json, sys
from pathlib import Path
from farthing.collector.reprice import preview
from farthing.collector.store.client import Address, Store
from farthing.economics.prices import load_catalogue
from tests.reprice.books import EVER, calls, entries, in_force, other_book, sums
from tests.reprice.killed import SEED
from tests.store.test_pricing_equal import expected
store = Store(Address(path=Path(sys.argv[1]) / "ledger"))
book = other_book(load_catalogue(), SEED)
cases = calls(41, 400)
rows = in_force(entries(store))
same = ("cost_state", "price_row", "cost_usd")
wrong = [
    number for number, row in rows.items()
    if any(row[name] != expected(cases[number], book)[name] for name in same)
]
found = {
    "spans": len(rows), "wrong": wrong,
    "left": preview(store, book, EVER, progress=lambda _n: None).calls,
    "sums": [str(one) for one in sums(store)],
    "corrections": len([r for r in entries(store) if r["entry"] == "correction"]),
}
print(json.dumps(found))
store.close()
"""


def test_killed_at_any_moment_and_repeated(tmp_path: Path) -> None:
    """kill -9 while a batch is on its way: once a run has come to its end, every call
    is priced once, by the new book, and spans, runs and spend_hourly agree."""
    loaded = _python("-c", LOADING, str(tmp_path))
    assert loaded.returncode == 0, loaded.stderr
    for delay_ms in DELAYS_MS:
        ended = _python("-m", "tests.reprice.killed", str(tmp_path), str(delay_ms))
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert _python("-m", "tests.reprice.killed", str(tmp_path), "0").stdout == "done\n"
    found = json.loads(_python("-c", LOOKING, str(tmp_path)).stdout)
    assert (found["wrong"], found["left"]) == ([], 0)
    assert found["corrections"] > 100
    assert len(set(found["sums"])) == 1, found["sums"]


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
