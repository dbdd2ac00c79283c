"""The ledger's own state, and who sends to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from farthing.collector.report.plain import iso
from farthing.collector.report.sql_text import sql
from farthing.collector.store.client import Store


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Schema, price book and clock of a ledger; times are UTC."""

    migration: int
    catalogue: str
    catalogue_since: datetime
    now: datetime
    engine: str


@dataclass(frozen=True, slots=True)
class Emitter:
    """An instrumentation that sent spans, and how they were read.

    `ahead_s` is by how much its spans ended after they were received: a clock that is
    wrong, or 0 and below.
    """

    scope: str
    scope_version: str
    dialect: str
    spans: int
    calls: int
    unpriced_calls: int
    received_at: datetime
    ahead_s: int

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        return {**asdict(self), "received_at": iso(self.received_at)}


def ledger_state(store: Store) -> LedgerState:
    """The state of the ledger; errors are those of `Store`."""
    return LedgerState(**store.rows(sql("state.sql"))[0])


def emitters(store: Store, *, since: datetime) -> tuple[Emitter, ...]:
    """Who sent spans that ended since an instant, the busiest first."""
    rows = store.rows(sql("emitters.sql"), {"since_s": int(since.timestamp())})
    return tuple(Emitter(**row) for row in rows)
