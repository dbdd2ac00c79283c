"""A ledger on a cluster of one shard, as far as one engine goes.

    python -m tests.store.one_shard FOLDER SHARDS CAPTURE...

The shard is this process, and so are further ones, whose rows then count again: tables
are distributed over local ones as on a cluster. That
they are replicated, and that statements travel to other nodes, needs ClickHouse Keeper,
which the embedded engine lacks: both are taken out of the statements. Prints what the
tables hold, after one load and after the same again.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import chdb

from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.store.schema import Ddl
from farthing.economics.prices import load_catalogue
from tests.store.otlp import captured

# The port is not opened; it tells the engine that the shard is itself.
CONFIG = """
<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers><prod>{shards}</prod></remote_servers>
</clickhouse>
"""
SHARD = """<shard>
    <internal_replication>true</internal_replication>
    <replica><host>localhost</host><port>9000</port></replica>
  </shard>"""
HELD = (
    "SELECT (SELECT count() FROM spans) AS spans, (SELECT sum(spans) FROM runs) AS"
    " in_runs, (SELECT sum(calls) FROM spend_hourly) AS calls,"
    " (SELECT engine FROM system.tables WHERE database = currentDatabase() AND"
    " name = 'spans') AS engine"
)


_REPLICATED = r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?(\w*)\)"


class WithoutKeeper(Ddl):
    """The DDL of a cluster whose only shard has one replica."""

    @property
    def on_cluster(self) -> str:
        return ""

    def statements(self, text: str, own: Mapping[str, str] | None = None) -> list[str]:
        found = super().statements(text, own)
        return [_plain(one) for one in found if "SYNC REPLICA" not in one]


def _plain(statement: str) -> str:
    local = re.sub(_REPLICATED, r"\1(\2)", statement)
    local = re.sub(r", replicated_deduplication_window_seconds = \d+", "", local)
    return re.sub(r"\breplicated_dedup", "non_replicated_dedup", local)


def main(folder: Path, shards: int, captures: list[Path]) -> None:
    """Load the captures twice under one name."""
    (folder / "config.xml").write_text(CONFIG.format(shards=SHARD * shards))
    data = folder / "ledger"
    engine = chdb.connect(f"{data}?config-file={folder / 'config.xml'}")
    store = Store(Address(path=data))
    ledger = Ledger(store, load_catalogue(), cluster="prod")
    ledger._ddl = WithoutKeeper(store.address, "prod")
    ledger.open(retention_days=36_500)
    requests = [request for path in captures for request in captured(path)]
    held = []
    for _ in range(2):
        ledger.load("captures", requests)
        held += store.rows(HELD)
    print(json.dumps(held))  # noqa: T201 - what the test reads
    store.close()
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
