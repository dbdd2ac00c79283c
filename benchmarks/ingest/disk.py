"""What the ledger takes on disk, once its parts are merged.

    python -m benchmarks.ingest.disk DATA

In a process of its own, because the embedded engine opens one ledger per process, and
after the collector has ended, because only one process may have a ledger open.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import clickhouse_connect

_TABLES = """
SELECT database, table, sum(bytes_on_disk), sum(rows) FROM system.parts
WHERE active AND database != 'system' GROUP BY database, table ORDER BY 3 DESC
"""


@dataclass(frozen=True)
class Table:
    """A table's active parts."""

    name: str
    bytes: int
    rows: int


def merged(data: Path) -> list[Table]:
    """Merge every table of the ledger under `data`, then weigh it; largest first."""
    command = [sys.executable, "-m", "benchmarks.ingest.disk", str(data)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [Table(**table) for table in json.loads(done.stdout)]


def _ledger(data: Path) -> Path:
    """The engine's folder: the one that holds `metadata`."""
    return next(data.rglob("metadata")).parent


def _merge_and_weigh(data: Path) -> list[Table]:
    client = clickhouse_connect.get_client(dsn=f"chdb://{_ledger(data)}")
    for database, table, *_ in client.query(_TABLES).result_rows:
        client.command(f"OPTIMIZE TABLE `{database}`.`{table}` FINAL")
    return [Table(*row) for _, *row in client.query(_TABLES).result_rows]


if __name__ == "__main__":
    print(json.dumps([vars(table) for table in _merge_and_weigh(Path(sys.argv[1]))]))
