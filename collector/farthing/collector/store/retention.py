"""How long each table keeps its rows: counted from when they were loaded.

Not from when the spans ended: what is replayed from an old recording stays as long as
what arrives live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.store.schema import Ddl

_TTL: Final = re.compile(r"\bTTL ingested_at \+ toIntervalDay\((\d+)\)")
_ANOTHER: Final = 0
"""The retention of a table that has one which is not set in our way."""
_SET: Final = "ingested_at + toIntervalDay({:d})"
_BEGUN: Final = "toDateTime(ingested_at, 'UTC') + toIntervalDay({:d})"
"""The same in another way: who is killed before what is there is told begins again."""
_LATER: Final = "SETTINGS materialize_ttl_after_modify = 0"
"""Else the start waits until all that is there is written anew."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that the rows of each table are kept, by its name; None keeps them."""

    spans: int | None = 90
    runs: int | None = None
    spend_hourly: int | None = None

    def of_tables(self) -> Mapping[str, int | None]:
        """By table: what follows from a run goes with it, what is by hour likewise."""
        return {
            **asdict(self),
            "run_agents": self.runs,
            "telemetry_hourly": self.spend_hourly,
        }


def retain(store: Store, retention: Retention, *, ddl: Ddl) -> None:
    """Give each table its retention, where it has another."""
    for statement in statements(in_force(store), retention, ddl=ddl):
        store.command(statement)


def statements(
    found: Mapping[str, int | None], retention: Retention, *, ddl: Ddl
) -> Iterator[str]:
    """What brings the tables from the retention that they have to the one asked."""
    for name, days in retention.of_tables().items():
        alter = f"ALTER TABLE {name}{ddl.local} {ddl.on_cluster}"
        if found[f"{name}{ddl.local}"] == days:
            continue
        if days is None:
            yield f"{alter} REMOVE TTL"
            continue
        yield f"{alter} MODIFY TTL {_BEGUN.format(days)} {_LATER}"
        yield f"{alter} MATERIALIZE TTL SETTINGS mutations_sync = 0"
        yield f"{alter} MODIFY TTL {_SET.format(days)} {_LATER}"


def in_force(store: Store) -> dict[str, int | None]:
    """The retention of each table as the store has it."""
    found = {}
    for row in store.rows(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"
    ):
        ttl = _TTL.search(row["engine_full"])
        another = _ANOTHER if " TTL " in row["engine_full"] else None
        found[row["name"]] = int(ttl[1]) if ttl else another
    return found
