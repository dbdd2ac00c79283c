"""A process that re-prices a ledger and dies: `killed.py FOLDER DELAY_MS`.

It dies so long after a batch has begun its way into the ledger; never, if that is 0.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from farthing.collector.reprice import Journal, plan, reprice
from farthing.collector.store.client import Address, Store
from farthing.economics.prices import load_catalogue
from tests.reprice.books import EVER, other_book

SEED = 41


class Deadly(Journal):
    """Kills its process some time after it holds a batch."""

    delay_s = 0.0

    def keep(self, name: str, block: bytes) -> Path:
        """As the journal, with a time fuse."""
        if self.delay_s:
            fuse = (os.getpid(), signal.SIGKILL)
            threading.Timer(self.delay_s, os.kill, fuse).start()
        return super().keep(name, block)


def main(folder: Path, delay_s: float) -> None:
    """Re-price until done, or dead."""
    plan.ENTRIES_PER_BATCH = 60  # type: ignore[misc]
    Deadly.delay_s = delay_s
    store = Store(Address(path=folder / "ledger"))
    book = other_book(load_catalogue(), SEED)
    reprice(
        store, book, EVER, journal=Deadly(folder / "journal"), progress=lambda _n: None
    )
    sys.stdout.write("done\n")
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) / 1000)
