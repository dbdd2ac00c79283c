"""The runs of a ledger, of which nobody said whether they loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from farthing.collector.store.client import Store
from farthing.collector.watch.entry import Entry, tag_values
from farthing.collector.watch.labelled import LabelledRun
from farthing.collector.watch.read import Reader
from farthing.collector.watch.told import steps
from farthing.errors import ConfigError


def ledger_runs(store: Store, *, since: datetime) -> Iterator[LabelledRun]:
    """Runs that ended since a moment; their source is their task type."""
    reader = Reader(store)
    sizes = reader.sizes(reader.runs_since(since))
    for _, entries in reader.entries(sizes):
        yield _run(entries)


def ledger_run(store: Store, run_id: str) -> LabelledRun:
    """One run. Raises ConfigError if there is none of this id."""
    reader = Reader(store)
    for _, entries in reader.entries(reader.sizes([run_id])):
        return _run(entries)
    raise ConfigError(f"there is no run {run_id!r}; `farthing runs` lists them")


def _run(entries: Sequence[Entry]) -> LabelledRun:
    return LabelledRun(
        trace_id=entries[0].run_id,
        source=max(tag_values(entry.tags)[0] for entry in entries) or "(not tagged)",
        label="unknown",
        onset=None,
        is_normal=False,
        steps=tuple(step for step, _ in steps(entries)),
    )
