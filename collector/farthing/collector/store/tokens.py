"""Inserts that the embedded engine believes it has, made true when a ledger is opened.

The engine writes an insert's token into the table's deduplication log and then puts the
part in its place: `kill -9` between the two leaves a token without its rows. So does a
part that a full disk cut off unnoticed: a start puts it aside as broken, and its token
is still known. Whoever was killed repeats what he did not see to be whole, and the
engine would pass over it. So a token whose part is not there is forgotten.

The log is text, a line per record: 1 (added) or 2 (dropped), the part, the token's
hash; as ClickHouse's MergeTreeDeduplicationLog.cpp has it.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from farthing.collector.store.client import Store

_TABLES: Final = """
SELECT name, data_paths[1] AS folder FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
"""
_PARTS: Final = """
SELECT table, partition_id, min_block_number, max_block_number FROM system.parts
WHERE database = currentDatabase() AND active
"""
_RECORD: Final = re.compile(
    r"(?P<operation>[12])\t(?P<partition>[^\t_]+)_(?P<block>\d+)_\d+_\d+\t[^\t\n]+\n"
)
"""Searched for in a line: one that a full disk cut off has the next behind it."""

_DROPPED: Final = "2"

_Blocks = dict[str, list[tuple[int, int]]]
"""Of a table's partitions: from which block to which each part goes, both included."""


def forget_lost(store: Store) -> None:
    """Let inserts be repeated of which a table has the token and not the rows.

    Before anything is inserted, and while nobody else asks. Raises OSError where the
    disk has no room for a log.
    """
    if not store.embedded:
        return
    there: dict[str, _Blocks] = defaultdict(lambda: defaultdict(list))
    for part in store.rows(_PARTS):
        blocks = (part["min_block_number"], part["max_block_number"])
        there[part["table"]][part["partition_id"]].append(blocks)
    for table in store.rows(_TABLES):
        name, logs = table["name"], Path(table["folder"]) / "deduplication_logs"
        untrue = list(_untrue(logs, there[name]))
        if untrue:
            _write_anew(store, name, untrue)


def _untrue(logs: Path, there: _Blocks) -> Iterator[tuple[Path, str]]:
    """The logs that hold more than is true, and what is true of each."""
    for log in sorted(logs.glob("*.txt")):
        text = log.read_text()
        found = _RECORD.finditer(text)
        true = "".join(record[0] for record in found if _is_true(record, there))
        if true != text:
            yield log, true


def _is_true(record: re.Match[str], there: _Blocks) -> bool:
    block = int(record["block"])
    return record["operation"] == _DROPPED or any(
        first <= block <= last for first, last in there[record["partition"]]
    )


def _write_anew(store: Store, table: str, logs: Sequence[tuple[Path, str]]) -> None:
    """Where the table cannot be attached again, for want of disk, the start ends, and
    the next one finds it attached: it was not detached for good."""
    store.command(f"DETACH TABLE {table}")
    try:
        for log, text in logs:
            _replace(log, text)
    finally:
        store.command(f"ATTACH TABLE {table}")


def _replace(path: Path, text: str) -> None:
    """All of it or nothing, also if it is killed or the disk is full."""
    beside = path.parent.parent / f"{path.name}.new"  # only logs may be in its folder
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
