"""Numbered migrations, and the intake that belongs to this very program.

A migration is a `.sql` file that is applied once, in order, and never changed after it
was released: its checksum is kept. All its statements may be repeated, so two
collectors that start at once do no harm. The intake (the table that batches are
inserted into, and the view that decodes them) is named by a hash of its text: programs
of two versions can load into one ledger side by side.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files

from farthing.collector.store.client import Address, Refused, Store
from farthing.collector.store.text import fill, sql_file
from farthing.errors import ConfigError

_NAME = re.compile(r"^(\d{4})_(\w+)\.sql$")
_RECORD = """
CREATE TABLE IF NOT EXISTS migrations {{on_cluster}} (
    version UInt32, name String, checksum String, applied_at DateTime('UTC')
) ENGINE = {{replacing_merge_tree}} ORDER BY version
"""


@dataclass(frozen=True)
class Ddl:
    """How DDL is written for where the ledger lives: one node, or a cluster by name."""

    address: Address
    cluster: str = ""

    @cached_property
    def values(self) -> dict[str, str]:
        """What stands in double braces in the `.sql` files."""
        of_store = {
            "database": self.address.database,
            "login": _login(self.address),
        }
        if not self.cluster:
            return {
                **of_store,
                "on_cluster": "",
                "local": "",
                "merge_tree": "MergeTree",
                "aggregating_merge_tree": "AggregatingMergeTree",
                "replacing_merge_tree": "ReplacingMergeTree",
                "deduplicated": "non_replicated_deduplication_window = 1000",
            }
        sharded = "('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"
        whole = "('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}')"
        return {
            **of_store,
            "on_cluster": f"ON CLUSTER '{self.cluster}'",
            "local": "_local",
            "merge_tree": f"ReplicatedMergeTree{sharded}",
            "aggregating_merge_tree": f"ReplicatedAggregatingMergeTree{sharded}",
            "replacing_merge_tree": f"ReplicatedReplacingMergeTree{whole}",
            "deduplicated": "replicated_deduplication_window = 1000",
        }

    def statements(self, text: str, own: Mapping[str, str] | None = None) -> list[str]:
        """The statements of a `.sql` file, filled in, with values of its own."""
        filled = fill(text, {**self.values, **(own or {})})
        bare = "\n".join(
            line for line in filled.splitlines() if not line.lstrip().startswith("--")
        )
        return [part.strip() for part in bare.split(";\n") if part.strip("; \n")]


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All that this program knows, in order."""
    found = []
    for entry in (files(__package__) / "sql").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], sql_file(entry.name)))
    return sorted(found, key=lambda migration: migration.version)


def migrate(store: Store, *, ddl: Ddl, known: Iterable[Migration]) -> None:
    """Bring the ledger to this program's schema.

    Raises ConfigError where the ledger is newer than the program, or was made by
    another text of a migration.
    """
    known = list(known)
    store.command(fill(_RECORD, ddl.values))
    applied = {
        row["version"]: row["checksum"]
        for row in store.rows("SELECT version, checksum FROM migrations FINAL")
    }
    _check(applied, known, str(store.address))
    for migration in known:
        if migration.version not in applied:
            _apply(store, migration, ddl)


def _check(applied: dict[int, str], known: list[Migration], where: str) -> None:
    newest = known[-1].version
    if applied and max(applied) > newest:
        raise ConfigError(
            f"the ledger at {where} was made by a newer Farthing (migration"
            f" {max(applied)}, this one knows {newest}): upgrade this program"
        )
    for migration in known:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise ConfigError(
                f"migration {migration.version:04} ({migration.name}) of the ledger at"
                f" {where} is not the one of this program: install the version that"
                " made the ledger, or use another one"
            )


def _apply(store: Store, migration: Migration, ddl: Ddl) -> None:
    for statement in ddl.statements(migration.text):
        try:
            store.command(statement)
        except Refused as error:
            raise ConfigError(
                f"migration {migration.version:04} ({migration.name}) failed at"
                f" {store.address}: {error}"
            ) from error
    store.insert(
        "migrations",
        ["version", "name", "checksum", "applied_at"],
        [
            [
                migration.version,
                migration.name,
                migration.checksum,
                datetime.now(UTC).replace(microsecond=0),
            ]
        ],
    )


def _login(address: Address) -> str:
    """How a dictionary logs in to its own server; the embedded engine has no users."""
    if address.path is not None:
        return ""
    password = address.password.replace("\\", "\\\\").replace("'", "\\'")
    return f"USER '{address.username}' PASSWORD '{password}'"
