"""A large ledger, made by the engine: spans, and through the views all that follows.

Ten task types, eight models of the price list and one that is on none, prompts that
grow and are compacted, caches that are hit and missed, tools with fingerprints,
helpers, outcomes, calls told twice, loops, alerts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.store.text import fill

_CHUNK: Final = 2_500
"""Runs that are inserted at once: some 250,000 spans."""


def fill_fleet(
    store: Store, *, spans: int, runs: int, days: int, until: datetime
) -> Iterator[int]:
    """Put some `spans` in so many runs into the ledger of `store`; yields how many runs
    are in it."""
    values = {
        "until_s": str(int(until.timestamp())),
        "days": str(days),
        "runs": str(runs),
        "turns": str(spans / runs / 2),
    }
    for first in range(0, runs, _CHUNK):
        count = min(_CHUNK, runs - first)
        own = {"first": str(first), "count": str(count)}
        store.command(fill(_text("spans.sql"), {**values, **own}))
        yield first + count
    for statement in _text("rest.sql").split(";\n"):
        store.command(statement)


def merge(store: Store) -> None:
    """Sum up what the background would in time."""
    for table in store.rows(
        "SELECT DISTINCT table FROM system.parts"
        " WHERE active AND database = currentDatabase()"
    ):
        store.command(f"OPTIMIZE TABLE {table['table']} FINAL")


def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
