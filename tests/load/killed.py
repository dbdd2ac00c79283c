"""A loader on a disk that is full: `killed.py FOLDER TABLE HOW`.

It loads a first batch, then a second, of which it leaves in TABLE what `HOW` says, and
is killed before it looks. With HOW `not at all` it starts anew, loads what waits and
tells what the ledger holds.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from farthing.collector.store.client import Address, Store
from tests.load.loading import Way, opened_ledger, request, way

NEWEST: Final = """
SELECT path FROM system.parts
WHERE database = currentDatabase() AND active AND table = {table:String}
ORDER BY max_block_number DESC LIMIT 1
"""
BOOKS: Final = """
SELECT (SELECT count() FROM spans WHERE NOT ignore(*)) AS spans,
    (SELECT sum(calls) FROM runs) AS runs,
    (SELECT sum(calls) FROM spend_hourly) AS hours
"""


def cut_off(part: Path) -> None:
    """As a full disk leaves it."""
    for file in part.iterdir():
        file.write_bytes(b"")


def cut_off_a_little(part: Path) -> None:
    """Of one small file nothing."""
    (part / "count.txt").write_bytes(b"")


HOW: Final[Mapping[str, Callable[[Path], None]]] = {
    "cut off": cut_off,
    "cut off a little": cut_off_a_little,
    "not renamed": shutil.rmtree,
}


def main(folder: Path, table: str, how: str) -> None:
    """See the module."""
    store = Store(Address(path=folder / "ledger"))
    ledger = opened_ledger(store)
    with way(folder, ledger) as loading:
        if how in HOW:
            store.command("SYSTEM STOP MERGES")
            loading.append([request(1)])
            loading.run_dry()
            loading.append([request(2), request(3)])
            _die_after_load(loading, table, how)
        loading.run_dry()
    sys.stdout.write(json.dumps(store.rows(BOOKS)[0]))
    store.close()


def _die_after_load(loading: Way, table: str, how: str) -> None:
    def die(_batch_name: str) -> None:
        [part] = loading.ledger.store.rows(NEWEST, {"table": table})
        HOW[how](Path(part["path"]))
        os.kill(os.getpid(), signal.SIGKILL)

    loading.loader._after_load = die


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
