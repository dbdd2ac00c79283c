"""Writes corrections: each batch first to a file, then to the ledger, then is done.

A batch is one block under a name of its own, so the ledger takes it once, with all that
follows from it, however often it is sent. What an interrupted run left behind in the
file is sent again by the next one before it looks at anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farthing.collector.reprice.plan import (
    Batch,
    Outlook,
    Progress,
    Scope,
    batches,
    statement,
)
from farthing.collector.store.client import Store
from farthing.collector.store.parts import Parts
from farthing.collector.store.text import quoted
from farthing.economics.prices import Catalogue

_FORMAT: Final = "RowBinaryWithNamesAndTypes"
_SETTINGS: Final = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_insert_block_size": 10_000_000,
    "async_insert": 0,
    "distributed_foreground_insert": 1,
}
_SUFFIX: Final = ".corrections"


@dataclass(frozen=True)
class Journal:
    """The folder that holds the batch on its way into the ledger.

    A file appears in it whole or not at all, and its name is that of the batch.
    """

    folder: Path

    def keep(self, name: str, block: bytes) -> Path:
        """Hold a batch until it is `done`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        begun = self.folder / f"{name}.begun"
        with begun.open("wb") as file:
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
        kept = begun.rename(self.folder / f"{name}{_SUFFIX}")
        self._sync()
        return kept

    def done(self, kept: Path) -> None:
        """The ledger has the batch."""
        kept.unlink()
        self._sync()

    def left(self) -> Iterator[Path]:
        """What was on its way when a run was interrupted; drops what was not whole."""
        for path in sorted(self.folder.glob("*.begun")):
            path.unlink()
        yield from sorted(self.folder.glob(f"*{_SUFFIX}"))

    def _sync(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY)
        with suppress(OSError):  # not every file system can sync a folder
            os.fsync(handle)
        os.close(handle)


def reprice(
    store: Store,
    catalogue: Catalogue,
    scope: Scope,
    *,
    journal: Journal,
    progress: Progress,
) -> Outlook:
    """Correct the entries in force whose price `catalogue` changes; what was changed.

    May be interrupted at any moment and repeated: what is written is never written
    again. One at a time per ledger. Errors are those of `Store`.
    """
    resume(store, journal)
    outlook = Outlook()
    for batch in batches(store, catalogue, scope, outlook=outlook, progress=progress):
        _write(store, batch, catalogue=catalogue, journal=journal)
        for change in batch.changes:
            outlook.add(change)
    return outlook


def resume(store: Store, journal: Journal) -> None:
    """Send what an interrupted run left on its way."""
    for kept in journal.left():
        _send(store, kept, journal)


def _write(
    store: Store, batch: Batch, *, catalogue: Catalogue, journal: Journal
) -> None:
    name = f"repriced-{catalogue.sha256[:12]}-{batch.identity:016x}"
    values = {**batch.values, "load": quoted(name)}
    block = store.raw(statement("corrections", values), fmt=_FORMAT)
    _send(store, journal.keep(name, block), journal)


def _send(store: Store, kept: Path, journal: Journal) -> None:
    name = kept.name.removesuffix(_SUFFIX)
    settings = {**_SETTINGS, "insert_deduplication_token": name}
    parts = Parts(store)
    store.insert_bytes("spans", kept.read_bytes(), fmt=_FORMAT, settings=settings)
    parts.see_whole()
    journal.done(kept)
