"""Numbered migrations: how a ledger comes to have this program's tables.

A migration is a `.sql` file that is applied once, in order, and never changed after it
was released: its checksum is kept. All its statements may be repeated, so two
collectors that start at once do no harm, and one that was cut short is done again. The
checksums of all that are missing are written down before the first begins: half of one
text is never completed by another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Address, Refused, Store
from farthing.collector.store.parts import Parts
from farthing.collector.store.text import fill, quoted, sql_file
from farthing.collector.store.tokens import forget_lost
from farthing.errors import ConfigError

OLDEST_VERSION: Final = (25, 6)
"""Of ClickHouse: the first that takes the schema of an insert as a setting."""

_NAME: Final = re.compile(r"^(\d{4})_(\w+)\.sql$")
_OF_CLUSTER: Final = re.compile(
    r"^\{\{#cluster\}\}\n(.*?)^\{\{/cluster\}\}\n", re.S | re.M
)
_OF_SERVER: Final = re.compile(
    r"^\{\{#server\}\}\n(.*?)^\{\{/server\}\}\n", re.S | re.M
)
_FILLED: Final = re.compile(r"^\{\{#filled\}\}\n(.*?)^\{\{/filled\}\}\n", re.S | re.M)
_VIEW: Final = re.compile(
    r"^CREATE MATERIALIZED VIEW IF NOT EXISTS \w+ \{\{on_cluster\}\}"
    r" TO (\w+)\{\{local\}\} AS\n(SELECT.*?);$",
    re.S | re.M,
)
_FILL: Final = """INSERT INTO {table}
SETTINGS insert_deduplication_token = 'filled {table}',
    min_insert_block_size_rows = 1000000000000, min_insert_block_size_bytes = 0,
    max_partitions_per_insert_block = 0, distributed_foreground_insert = 1
{select}
ORDER BY ALL;

{view}"""
"""As one block under a name: of collectors that start at once, one fills the table.
Behind the SELECT the settings would be those of reading; unsorted, a name would stand
for blocks of several threads, of which any may be the first."""
_RENAMED: Final = re.compile(r"^RENAME TABLE (\w+) TO (\w+), \2 TO \1\b", re.M)
"""A table that is given its own name again, in two steps."""
_TO_NO_SHARD: Final = re.compile(r"INSERT INTO spend_hourly\b")
"""A roll-up that stays where its spans are: its distributed table has no key by which
rows would find their shard."""
_COMMENT: Final = re.compile(r"^\s*--.*\n", re.M)
_COLUMNS: Final = ("version", "name", "checksum", "cluster", "done")
_SHARDED: Final = "('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_WHOLE: Final = "('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}'"


@dataclass(frozen=True)
class Ddl:
    """How DDL is written for where the ledger lives: one node, or a cluster by name.

    On a cluster, the ledger's tables are `*_local`, replicated within a shard, under a
    distributed table of the plain name; the price book is replicated to every node.
    """

    address: Address
    cluster: str = ""

    @property
    def local(self) -> str:
        """What the names of tables that hold the ledger's own rows end in."""
        return "_local" if self.cluster else ""

    @property
    def on_cluster(self) -> str:
        """The clause that lets a statement run on every node."""
        return f"ON CLUSTER {quoted(self.cluster)}" if self.cluster else ""

    @property
    def values(self) -> dict[str, str]:
        """What stands in double braces in the `.sql` files."""
        return {
            "database": self.address.database,
            "login": _login(self.address),
            "cluster": quoted(self.cluster),
            "on_cluster": self.on_cluster,
            "local": self.local,
            **(_REPLICATED if self.cluster else _SINGLE),
        }

    def statements(self, text: str, own: Mapping[str, str] | None = None) -> list[str]:
        """The statements of a `.sql` file, filled in, with values of its own.

        What stands between `{{#cluster}}` and `{{/cluster}}` is for clusters only, what
        stands between `{{#server}}` and `{{/server}}` for all but the embedded engine.
        The tables of the views between `{{#filled}}` and `{{/filled}}` are filled with
        what is there already, before the view writes what comes.
        """
        text = _FILLED.sub(lambda match: _VIEW.sub(_filling, match[1]), text)
        text = _OF_CLUSTER.sub(r"\1" if self.cluster else "", text)
        text = _OF_SERVER.sub("" if self.address.path else r"\1", text)
        values = {**self.values, **(own or {})}
        parts = _COMMENT.sub("", text).split(";\n")
        return [fill(part.strip(), values) for part in parts if part.strip()]


def _filling(view: re.Match[str]) -> str:
    """A view's statement, after the one that fills its table from all entries."""
    select = view[2].replace("{{local}}", "")
    return _FILL.format(table=view[1], select=select, view=view[0])


_SINGLE: Final = {
    "merge_tree": "MergeTree",
    "aggregating_merge_tree": "AggregatingMergeTree",
    "replacing_merge_tree": "ReplacingMergeTree",
    "versioned_merge_tree": "ReplacingMergeTree(version)",
    "deduplicated": "non_replicated_deduplication_window = 1000",
    "remembered": "non_replicated_deduplication_window = 10000",
}
_REPLICATED: Final = {
    "merge_tree": f"ReplicatedMergeTree{_SHARDED})",
    "aggregating_merge_tree": f"ReplicatedAggregatingMergeTree{_SHARDED})",
    "replacing_merge_tree": f"ReplicatedReplacingMergeTree{_WHOLE})",
    "versioned_merge_tree": f"ReplicatedReplacingMergeTree{_SHARDED}, version)",
    "deduplicated": "replicated_deduplication_window = 1000",
    "remembered": "replicated_deduplication_window = 10000,"
    " replicated_deduplication_window_seconds = 604800",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __str__(self) -> str:
        return f"migration {self.version:04} ({self.name})"


@dataclass(frozen=True, slots=True)
class _Applied:
    """What the ledger says of a migration."""

    version: int
    checksum: str
    cluster: str
    done: bool


def migrations() -> list[Migration]:
    """All that this program knows, in order."""
    found = []
    for entry in (files(__package__) / "sql").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], sql_file(entry.name)))
    return sorted(found, key=lambda migration: migration.version)


def migrate(store: Store, *, ddl: Ddl, known: Iterable[Migration]) -> None:
    """Bring the ledger to this program's schema, making its database where it is new.

    Raises ConfigError where the operator must act: a store that is too old, a ledger
    newer than the program, made for another cluster or by another text of a migration.
    """
    known = list(known)
    check_version(store.version(), where=str(store.address))
    store.create_database(on_cluster=ddl.on_cluster)
    forget_lost(store)
    for statement in ddl.statements(sql_file("migrations.sql")):
        store.command(statement)
    done = {row.version for row in _checked(store, known, ddl) if row.done}
    missing = [migration for migration in known if migration.version not in done]
    if not missing:
        return
    _record(store, missing, ddl=ddl, done=False)
    # Again: a program with other texts of them may have begun at the same moment.
    _checked(store, known, ddl)
    for migration in missing:
        _apply(store, migration, ddl=ddl)


def check_version(version: str, *, where: str) -> None:
    """Raises ConfigError for a ClickHouse that is too old."""
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise ConfigError(
            f"the store at {where} is ClickHouse {version}: Farthing needs {oldest} or"
            " later"
        )


def _checked(store: Store, known: Sequence[Migration], ddl: Ddl) -> list[_Applied]:
    rows = store.rows(
        "SELECT version, checksum, cluster, max(done) AS done FROM migrations"
        " GROUP BY version, checksum, cluster"
    )
    applied = [
        _Applied(row["version"], row["checksum"], row["cluster"], bool(row["done"]))
        for row in rows
    ]
    texts = {migration.version: migration for migration in known}
    for row in applied:
        _check(row, texts.get(row.version), ddl)
    return applied


def _check(row: _Applied, known: Migration | None, ddl: Ddl) -> None:
    where = ddl.address
    if known is None:
        raise ConfigError(
            f"the ledger at {where} was made by a newer Farthing (it has migration"
            f" {row.version:04}, which this one does not know): upgrade this program"
        )
    if row.checksum != known.checksum:
        raise ConfigError(
            f"{known} of the ledger at {where} is not the one of this program: install"
            " the version that made the ledger, or use another database"
        )
    if row.cluster != ddl.cluster:
        raise ConfigError(
            f"the ledger at {where} was made with cluster = {row.cluster!r}, not"
            f" {ddl.cluster!r}: set it so, or use another database"
        )


def _apply(store: Store, migration: Migration, *, ddl: Ddl) -> None:
    parts = Parts(store)
    for statement in (
        *_undone_renames(migration, ddl),
        *ddl.statements(migration.text),
    ):
        if statement.startswith("ALTER") and _is_done(store, migration):
            return  # by another collector, which may have gone on: undo nothing of it
        try:
            store.command(statement, settings=_settings(statement, ddl))
        except Refused as error:
            if _is_done(store, migration):
                return
            raise ConfigError(
                f"{migration} failed at {store.address}: {error}. It is done again at"
                " the next start"
            ) from error
    parts.see_whole()
    _record(store, [migration], ddl=ddl, done=True)


def _is_done(store: Store, migration: Migration) -> bool:
    """Whether somebody has done it by now."""
    [row] = store.rows(
        "SELECT max(done) AS done FROM migrations WHERE version = {version:UInt32}",
        {"version": migration.version},
    )
    return bool(row["done"])


def _settings(statement: str, ddl: Ddl) -> Mapping[str, int]:
    """To the first shard, whenever it is done again: it knows what it was told."""
    has_no_shard = ddl.cluster and _TO_NO_SHARD.match(statement)
    return {"insert_shard_id": 1} if has_no_shard else {}


def _undone_renames(migration: Migration, ddl: Ddl) -> list[str]:
    """What gives a table its name back that was killed between two renames."""
    return [
        f"RENAME TABLE IF EXISTS {passing} TO {name} {ddl.on_cluster}"
        for name, passing in _RENAMED.findall(migration.text)
    ]


def _record(
    store: Store, migrations: Iterable[Migration], *, ddl: Ddl, done: bool
) -> None:
    rows = [[m.version, m.name, m.checksum, ddl.cluster, done] for m in migrations]
    store.insert("migrations", _COLUMNS, rows)


def _login(address: Address) -> str:
    """How a dictionary logs in to its own server; the embedded engine has no users."""
    if address.path is not None:
        return ""
    return f"USER {quoted(address.username)} PASSWORD {quoted(address.password)}"
