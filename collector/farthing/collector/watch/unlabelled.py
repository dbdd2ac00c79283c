"""The runs of a ledger, of which nobody said whether they loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from farthing.collector.store.client import Store
from farthing.collector.watch.labelled import LabelledRun
from farthing.collector.watch.read import Reader, chunks
from farthing.collector.watch.told import steps
from farthing.errors import ConfigError


def ledger_runs(store: Store, *, since: datetime) -> Iterator[LabelledRun]:
    """Runs that ended since a moment; their source is their task type."""
    reader = Reader(store)
    for chunk in chunks(reader.runs_since(since)):
        yield from map(_run, reader.entries(chunk))


def ledger_run(store: Store, run_id: str) -> LabelledRun:
    """One run. Raises ConfigError if there is none of this id."""
    for entries in Reader(store).entries([run_id]):
        return _run(entries)
    raise ConfigError(f"there is no run {run_id!r}; `farthing runs` lists them")


def _run(entries: Sequence[Mapping[str, Any]]) -> LabelledRun:
    return LabelledRun(
        trace_id=entries[0]["run_id"],
        source=max(entry["task_type"] for entry in entries) or "(not tagged)",
        label="unknown",
        onset=None,
        is_normal=False,
        steps=tuple(told.step for told in steps(entries)),
    )
