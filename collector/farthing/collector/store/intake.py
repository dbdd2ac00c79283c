"""The intake: the table that batches are inserted into, and the view that decodes them.

A pair of both belongs to this very program: its name begins with a hash of its text, so
programs of two versions load into one ledger side by side. What the name ends in is new
for each pair, and a pair is dropped the table first: an insert finds the table and with
it the view, or it finds no table and is done again through a new pair.

ClickHouse knows a batch that it has seen by its name and by the view that it came
through, so each entry says which pair brought it: what may have been loaded before goes
through that pair again.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from farthing.collector.store.client import Refused, Store
from farthing.collector.store.decode import Decoder
from farthing.collector.store.schema import Ddl
from farthing.collector.store.text import quoted, sql_file
from farthing.errors import StoreUnavailable

_DAY_S: Final = 86_400
_PREFIX: Final = "intake_"


@dataclass(frozen=True)
class Intake:
    """Where the entries of one way of decoding are inserted."""

    store: Store
    ddl: Ddl
    decoder: Decoder

    def table(self) -> str:
        """The table of a pair that is there, else of a new one."""
        # A view that is being made stands among the tables before it reads anything.
        found = self.store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase()"
            " AND startsWith(name, {own:String})"
            " AND has(dependencies_table, name || '_view') ORDER BY name LIMIT 1",
            {"own": self._own},
        )
        return found[0]["name"] if found else self.make()

    def make(self) -> str:
        """The table of a new pair."""
        table = f"{self._own}_{secrets.token_hex(4)}"
        own = {"intake": table, "decode": self.statement(table)}
        try:
            for statement in self.ddl.statements(sql_file("intake.sql"), own):
                self.store.command(statement)
        except (StoreUnavailable, Refused):
            self._drop(table)
            raise
        return table

    def statement(self, table: str) -> str:
        """The SELECT of the view, with the columns of `spans`."""
        decode = self.decoder.statement(table)
        return f"SELECT *, {quoted(table)} AS intake FROM (\n{decode}\n)"  # noqa: S608

    def brought(self, name: str) -> str | None:
        """The pair that brought entries of a batch; None if the ledger has none."""
        found = self.store.rows(
            "SELECT intake FROM spans WHERE load = {name:String} LIMIT 1",
            {"name": name},
        )
        return found[0]["intake"] if found else None

    def drop_old(self, *, older_than_s: int = _DAY_S) -> None:
        """Drop the pairs of other programs that were made long ago.

        One that still runs makes itself a new pair when it misses its own.
        """
        old = self.store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase()"
            " AND startsWith(name, {all:String}) AND NOT startsWith(name, {own:String})"
            " AND metadata_modification_time < now() - {age_s:Int64}"
            # A table before its view.
            " ORDER BY name",
            {"all": _PREFIX, "own": self._own, "age_s": older_than_s},
        )
        for row in old:
            self._drop(row["name"])

    def _drop(self, table: str) -> None:
        self.store.command(f"DROP TABLE IF EXISTS {table} {self.ddl.on_cluster}")

    @cached_property
    def _own(self) -> str:
        text = sql_file("intake.sql") + self.statement("intake")
        return f"{_PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:12]}"
