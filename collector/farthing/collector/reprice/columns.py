"""Which columns of an entry are measures, its own, or said of the span."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Store
from farthing.economics.prices import RATE_NAMES

MEASURES: Final = (
    "calls", "tool_calls", "errors", *(f"{name}_tokens" for name in RATE_NAMES),
    "web_searches", "cost_usd", "tool_fee_usd", "claimed_usd",
)  # fmt: skip
OWN: Final = (
    "entry", "reason", "owner_trace_id", "owner_span_id", "attributes", "load",
    "ingested_at",
)  # fmt: skip


def line_of(store: Store) -> str:
    """SQL: a hash of everything that an entry says of its span, but for its measures.

    It tells the few lines of one span apart. The columns are those that the ledger has.
    """
    rows = store.rows(sql("columns.sql"))
    said = [row for row in rows if row["name"] not in {*MEASURES, *OWN}]
    return f"cityHash64({', '.join(_hashed(**row) for row in said)})"


def _hashed(name: str, is_nullable: bool) -> str:  # noqa: FBT001 - a column of a row
    return f"ifNull(toString(s.{name}), '')" if is_nullable else f"s.{name}"


def sql(name: str) -> str:
    """Text of `sql/<name>`."""
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
