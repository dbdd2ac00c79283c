"""Whether what the embedded engine wrote is on the disk.

chdb 4.4 does not notice that the disk is full while it writes a part of a table: insert
or merge succeed, and files of the part are cut off. So parts that are new are weighed,
what the folder holds against what the engine believes, before a batch is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from farthing.collector.store.client import Away, Store

_NEW: Final = """
SELECT
    table, name, path, bytes_on_disk, partition_id, min_block_number, max_block_number
FROM system.parts
WHERE database = currentDatabase() AND active
    AND toUnixTimestamp(modification_time) >= {since_s:Int64}
"""
_MERGED: Final = """
SELECT 1 FROM system.parts
WHERE database = currentDatabase() AND NOT active
    AND table = {table:String} AND partition_id = {partition_id:String}
    AND min_block_number >= {min_block_number:Int64}
    AND max_block_number <= {max_block_number:Int64}
LIMIT 1
"""
"""Whether a part was merged, of others that are still there."""

_LINES: Final = frozenset({"columns.txt", "columns_substreams.txt"})
_NOT_COUNTED: Final = _LINES | {
    "checksums.txt",
    "metadata_version.txt",
    "default_compression_codec.txt",
}
"""Files of a part that are not among its `bytes_on_disk`; none is ever empty, and some
are lines of text."""

_SLACK_S: Final = 2  # the engine's times are whole seconds


class Parts:
    """The parts that an embedded ledger wrote since it was opened or looked at."""

    def __init__(self, store: Store, *, clock_s: Callable[[], float] = time.time):
        self._store = store
        self._clock_s = clock_s
        self._since_s = clock_s()
        self._detached: set[str] = set()

    def see_whole(self) -> None:
        """Return if all of them are whole.

        Raises Away where one was cut off. It is taken out then: what an insert wrote as
        if it had never been, so that the insert can be repeated under its token; of a
        merge, what was merged is put back.
        """
        if not self._store.embedded:
            return
        self._attach()
        now_s = self._clock_s()
        since = {"since_s": int(self._since_s) - _SLACK_S}
        cut_off = [p for p in self._store.rows(_NEW, since) if not _is_whole(p)]
        for part in cut_off:
            self._take_out(part)
        if cut_off:
            names = ", ".join(f"{part['table']} {part['name']}" for part in cut_off)
            raise Away(f"the disk was full while the ledger was written ({names})")
        self._since_s = now_s

    def _take_out(self, part: dict[str, Any]) -> None:
        table = part["table"]
        if not self._store.rows(_MERGED, part):
            self._store.command(f"ALTER TABLE {table} DROP PART '{part['name']}'")
        elif table not in self._detached:
            # Opened anew the engine finds it broken, and what it was made of beside it.
            self._detached.add(table)
            self._store.command(f"DETACH TABLE {table}")
            self._attach()

    def _attach(self) -> None:
        for table in sorted(self._detached):
            self._store.command(f"ATTACH TABLE IF NOT EXISTS {table}")
            self._detached.discard(table)


def _is_whole(part: dict[str, Any]) -> bool:
    """Also one that is gone: it was merged meanwhile."""
    folder = Path(part["path"])
    try:
        sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
        lines = [(folder / name).read_bytes() for name in _LINES & sizes.keys()]
    except FileNotFoundError:
        return True
    counted = sum(size for name, size in sizes.items() if name not in _NOT_COUNTED)
    return (
        counted >= part["bytes_on_disk"]
        and all(sizes[name] for name in _NOT_COUNTED & sizes.keys())
        and all(text.endswith(b"\n") for text in lines)
    )
