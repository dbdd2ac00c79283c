"""After each load: runs that changed ▶ detector ▶ findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry

from farthing.collector.store.client import Store
from farthing.collector.store.finding import COLUMNS
from farthing.collector.store.ledger import loaded_since_s
from farthing.collector.watch.baselines import Baselines
from farthing.collector.watch.judge import LONG_RUN
from farthing.collector.watch.judgements import Judgements, Verdict
from farthing.collector.watch.meters import Meters
from farthing.collector.watch.read import Reader
from farthing.collector.watch.repeats import Brought, Repeats
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
        self._watched: set[str] = set()
        self._meters = Meters.register(registry or CollectorRegistry())

    def __call__(self, *batch_names: str) -> None:
        """Watch the runs of which the batches tell."""
        with self._meters.seconds.time():
            rows = {r.run_id: r for r in self._reader.keys_of_batches(batch_names)}
            new = [run_id for run_id in rows if run_id not in self._repeats]
            sizes = self._reader.sizes_of_batches(batch_names) if new else {}
            changed = dict(self._changed(rows, new, sizes))
            self._note_loaded(rows, new, sizes, loaded_since_s(batch_names))
            spans = {run_id: rows[run_id].spans for run_id in changed}
            verdicts = self._judgements.go_on(
                batch_names, spans, changed, sizes, self._loaded_since_s(changed)
            )
            self._write(verdicts, of=changed)
            self._watched.update(changed)

    def look_again(self) -> bool:
        """Look, when there is nothing else to do, whether another collector loaded
        spans of runs that this one watches; whether to look once more, in a while."""
        self._write(self._judgements.doubt(self._watched), of=self._watched)
        self._watched = self._judgements.doubtful(self._watched)
        return bool(self._watched)

    def _changed(
        self, rows: Mapping[str, Brought], new: Iterable[str], sizes: Mapping[str, int]
    ) -> Iterator[tuple[str, Baseline | None]]:
        """Runs of the batches whose findings may be others now, each with the baseline
        that it exceeds."""
        older = {r for r in new if sizes.get(r, 0) > rows[r].spans}
        hot = set(self._recalled(older, sizes))
        known = [row for run_id, row in rows.items() if run_id not in older]
        hot.update(row.run_id for row in known if self._repeats.count(row))
        for run_id in rows:
            standing = self._repeats.get(run_id)
            exceeded = self._baselines.exceeded(standing) if standing else None
            if run_id in hot or run_id in self._judgements or exceeded:
                yield run_id, exceeded

    def _note_loaded(
        self,
        rows: Mapping[str, Brought],
        new: Iterable[str],
        sizes: Mapping[str, int],
        since_s: int | None,
    ) -> None:
        """Note since when runs were loaded, of those that began with these batches or
        later ones."""
        begun = {r for r in new if sizes.get(r, 0) <= rows[r].spans}
        for run_id in rows:
            standing = self._repeats.get(run_id)
            if standing is None:
                continue
            known_s = since_s if run_id in begun else standing.loaded_since_s
            if known_s is not None and since_s is not None:
                known_s = min(known_s, since_s)
            standing.loaded_since_s = None if since_s is None else known_s

    def _loaded_since_s(self, runs: Iterable[str]) -> dict[str, int]:
        found = {}
        for run_id in runs:
            standing = self._repeats.get(run_id)
            if standing is not None and standing.loaded_since_s is not None:
                found[run_id] = standing.loaded_since_s
        return found

    def _recalled(
        self, older: Iterable[str], sizes: Mapping[str, int]
    ) -> Iterator[str]:
        """Of runs that began before our memory of them, those worth a closer look."""
        for run_id in older:
            if sizes[run_id] > LONG_RUN:
                self._repeats.look_always(run_id)
                yield run_id
        short = [run_id for run_id in older if sizes[run_id] <= LONG_RUN]
        stored = self._reader.stored(short)
        for row in self._reader.keys_of_runs(short):
            if self._repeats.count(row) or row.run_id in stored:
                yield row.run_id

    def _write(self, judged: Iterable[Verdict], *, of: Iterable[str]) -> None:
        """Write down what is new of these runs; if that fails, it is found again."""
        try:
            verdicts = list(judged)
            lines = [found.line() for verdict in verdicts for found in verdict.new]
            if lines:
                self._store.insert("findings", COLUMNS, lines)
        except Exception:
            self._judgements.not_written(of)
            raise
        for verdict in verdicts:
            self._meters.count(verdict.new, verdict.before)
            if verdict.has_findings:
                self._repeats.note_findings(verdict.run_id)
        self._meters.runs.inc(len(verdicts))
