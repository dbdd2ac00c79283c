"""After each load: runs that changed ▶ detector ▶ findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from farthing.collector.store.client import Store
from farthing.collector.watch.baselines import Baselines
from farthing.collector.watch.judge import COLUMNS, Found
from farthing.collector.watch.judgements import Judgements
from farthing.collector.watch.meters import Meters
from farthing.collector.watch.read import Reader, chunks
from farthing.collector.watch.repeats import Repeats
from farthing.economics.loops import Baseline


class Watcher:
    """Looks, after each load, for runs that make no progress.

    Called with the names of batches that are in the ledger and settled. What it writes
    depends on what the ledger has of a run, not on how it came there: a batch may be
    watched again at any time, by anyone. Errors are those of `Store`.
    """

    def __init__(
        self, store: Store, *, registry: CollectorRegistry | None = None
    ) -> None:
        self._store = store
        self._reader = Reader(store)
        self._repeats = Repeats()
        self._baselines = Baselines(store)
        self._judgements = Judgements(self._reader)
        self._meters = Meters.register(registry or CollectorRegistry())

    def __call__(self, *batch_names: str) -> None:
        """Watch the runs of which the batches tell."""
        with self._meters.seconds.time():
            changed = self._changed(batch_names)
            for runs in chunks(sorted(changed)):
                self._watch({run_id: changed[run_id] for run_id in runs})

    def _changed(self, batch_names: Sequence[str]) -> dict[str, Baseline | None]:
        """Runs of the batches whose findings may be others now, each with the baseline
        that it exceeds."""
        rows = {row["run_id"]: row for row in self._reader.keys_of_batches(batch_names)}
        changed: dict[str, Baseline | None] = {}
        unknown = []
        for run in self._reader.known(rows):
            run_id = run["run_id"]
            row = rows[run_id]
            if run_id not in self._repeats and run["spans"] > row["entries"]:
                unknown.append(run_id)
            elif self._count(row):
                changed[run_id] = None
            if exceeded := self._baselines.exceeded(run):
                changed[run_id] = exceeded
        for run_id in self._recalled(unknown):
            changed.setdefault(run_id, None)
        return changed

    def _recalled(self, unknown: Sequence[str]) -> Iterator[str]:
        """Of runs that began before our memory of them, those worth a closer look."""
        for runs in chunks(unknown):
            found = {found.run_id for found in self._reader.stored(runs)}
            for row in self._reader.keys_of_runs(runs):
                if self._count(row) or row["run_id"] in found:
                    yield row["run_id"]

    def _count(self, row: Mapping[str, Any]) -> bool:
        times = {"first_us": row["first_us"], "last_us": row["last_us"]}
        return self._repeats.count(row["run_id"], row["keys"], **times)

    def _watch(self, runs: Mapping[str, Baseline | None]) -> None:
        """Judge these runs, and write down what is new."""
        known = {found.key: found for found in self._reader.stored(runs)}
        now = list(self._judgements.of(runs))
        withdrawn = known.keys() - {found.key for found in now}
        gone = [_withdrawn(known[key], now) for key in sorted(withdrawn)]
        new = [f for f in now if not _says_the_same(f, known.get(f.key))]
        if new or gone:
            self._store.insert("findings", COLUMNS, map(_line, [*new, *gone]))
        self._meters.runs.inc(len(runs))
        self._meters.count(new, known)
        for found in now:
            self._repeats.note_findings(found.run_id)


def _withdrawn(found: Found, now: Sequence[Found]) -> Found:
    """A finding that the run, as it is known by now, does not bear out."""
    versions = [other.version for other in now if other.run_id == found.run_id]
    version = max([found.version + 1, *versions])
    return replace(found, level="withdrawn", ongoing=False, version=version)


def _says_the_same(found: Found, known: Found | None) -> bool:
    return known is not None and replace(found, version=known.version) == known


def _line(found: Found) -> list[Any]:
    return [_plain(getattr(found, column)) for column in COLUMNS]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return list(value) if isinstance(value, tuple) else value
