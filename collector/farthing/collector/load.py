"""From the spool to the ledger: one thread, one batch at a time, for ever."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from farthing.collector.spool import Batch, Spool
from farthing.collector.spool_file import make_private
from farthing.collector.store.client import Refused
from farthing.collector.store.ledger import Ledger, delimited
from farthing.collector.store.parts import Parts
from farthing.errors import StoreUnavailable

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 10.0
_WAIT_S = 1.0
_LOOK_S = 60.0
"""How long merges go on unseen where nothing is loaded: the engine keeps what it merged
for eight minutes."""
_GROWTH = 4
"""How fast batches get large again, after refusals made them small."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """When to load (stored bytes, age), and how much at once (bytes as received)."""

    at_bytes: int
    at_age_s: float
    max_bytes: int = 128 * 1024**2


@dataclass(frozen=True)
class _Meters:
    batches: Counter
    requests: Counter
    failures: Counter
    dead_letters: Counter
    seconds: Histogram

    @classmethod
    def register(cls, registry: CollectorRegistry, spool: Spool) -> _Meters:
        waiting = Gauge(
            "farthing_spool_requests",
            "Requests that are acknowledged and not yet in the ledger",
            registry=registry,
        )
        waiting.set_function(lambda: spool.waiting().requests)
        size = Gauge(
            "farthing_spool_bytes", "What they take, compressed", registry=registry
        )
        size.set_function(lambda: spool.waiting().bytes)
        age = Gauge(
            "farthing_spool_oldest_age_seconds",
            "How long the oldest of them has waited",
            registry=registry,
        )
        age.set_function(lambda: _age_s(spool))
        return cls(
            batches=Counter(
                "farthing_load_batches", "Batches loaded", registry=registry
            ),
            requests=Counter(
                "farthing_load_requests", "Requests loaded", registry=registry
            ),
            failures=Counter(
                "farthing_load_failures",
                "Attempts that failed and were repeated",
                ["cause"],
                registry=registry,
            ),
            dead_letters=Counter(
                "farthing_load_dead_letters",
                "Requests that the ledger refuses, kept in the dead-letter folder",
                registry=registry,
            ),
            seconds=Histogram(
                "farthing_load_seconds", "Time to load a batch", registry=registry
            ),
        )


def _nothing(*_batch_name: str) -> None:
    """What comes before or after a load where nothing does."""


class Loader:
    """Loads what waits in `spool` into `ledger` until it is stopped.

    What the ledger refuses is cut in halves until one request is left, which goes to
    `dead_letters` with the reason; a store that is away is asked again, ever more
    slowly, while the spool fills. `prepare` is run before the first batch, until it
    succeeds; `before_load` before each; `after_load` after each, with its name: where
    it fails, the batch is loaded and followed up again, under the same name.
    """

    def __init__(
        self,
        spool: Spool,
        ledger: Ledger,
        *,
        settings: LoadSettings,
        dead_letters: Path,
        registry: CollectorRegistry,
        prepare: Callable[[], None] | None = None,
        before_load: Callable[[], None] = _nothing,
        after_load: Callable[[str], None] = _nothing,
    ) -> None:
        self._prepare = prepare
        self._before_load = before_load
        self._after_load = after_load
        self._spool = spool
        self._ledger = ledger
        self._parts = Parts(ledger.store)
        self._looked_s = time.monotonic()
        self._settings = settings
        self._dead_letters = dead_letters
        self._meters = _Meters.register(registry, spool)
        self._stopping = threading.Event()
        self._batch_bytes = settings.max_bytes
        self._pause_s = 0.0
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="loader")

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch under way and end; what waits stays in the spool."""
        self._stopping.set()
        self._thread.join()

    @property
    def problem(self) -> str | None:
        """Why loading is held up, or None."""
        return self._problem

    def _run(self) -> None:
        while not self._stopping.is_set():
            due = self._spool.wait_for_load(
                at_bytes=self._settings.at_bytes,
                at_age_s=self._settings.at_age_s,
                timeout_s=_WAIT_S,
            )
            if due or time.monotonic() - self._looked_s > _LOOK_S:
                self._load_next()

    def _load_next(self) -> None:
        """Load the next batch, or wait: what failed is tried again, in the same way.

        Nothing is taken from the spool before it is in the ledger, or in the
        dead-letter folder; so a failure at any step loses nothing.
        """
        try:
            if self._prepare is not None:
                self._prepare()
                self._prepare = None
            self._parts.see_whole()
            self._looked_s = time.monotonic()
            self._before_load()
            batch = self._spool.next_batch(max_bytes=self._batch_bytes)
            if batch is not None:
                self._load(batch)
                self._pause_s, self._problem = 0.0, None
        except StoreUnavailable as error:
            self._hold(f"the store is away: {error}", "away")
        except Refused as error:
            self._hold(f"the store refuses what it should take: {error}", "refused")
        except (OSError, sqlite3.Error) as error:
            self._hold(f"the spool or dead-letter folder fails: {error}", "disk")
        except Exception as error:  # the loader must outlive everything
            log.exception("loading failed")
            self._hold(f"loading failed: {error}", "unexpected")

    def _load(self, batch: Batch) -> None:
        try:
            with self._meters.seconds.time():
                self._ledger.load(batch.name, batch.requests)
        except Refused as error:
            self._narrow(batch, error)
            return
        self._after_load(batch.name)
        self._parts.see_whole()
        self._spool.finish(batch)
        self._meters.batches.inc()
        self._meters.requests.inc(len(batch.requests))
        self._batch_bytes = min(self._batch_bytes * _GROWTH, self._settings.max_bytes)
        if not self._spool.waiting().requests:
            # Not before: what the engine holds in reserve the next batch would need.
            self._ledger.store.release_memory()

    def _narrow(self, batch: Batch, error: Refused) -> None:
        """Narrow a refusal down to one request; raises where that cannot be done.

        A batch of which something is in the ledger keeps its name, or that part would
        count twice. A request is blamed only if the ledger takes another one. Batches
        stay small for a while, since what is refused seldom comes alone.
        """
        if self._ledger.has_entries_of(batch.name):
            raise Refused(f"a part of batch {batch.name}: {error}", error.code)
        if len(batch.requests) > 1:
            self._spool.shrink(batch)
            self._batch_bytes = sum(map(len, batch.requests)) // 2
            self._meters.failures.labels("refused").inc()
        else:
            self._ledger.try_out()
            self._put_aside(batch, error)

    def _put_aside(self, batch: Batch, error: Refused) -> None:
        """Keep a refused request where `farthing replay` can read it, and why.

        After a crash it is put aside again, under the same name.
        """
        path = self._dead_letters / f"{batch.name}.pb"
        at = datetime.now(UTC).isoformat()
        reason = {"at": at, "code": error.code, "reason": str(error)}
        make_private(self._dead_letters)
        _write(path.with_suffix(".json"), json.dumps(reason).encode())
        _write(path, b"".join(delimited(batch.requests)))
        for folder in (self._dead_letters, self._dead_letters.parent):
            _sync(folder)
        self._spool.give_up(batch)
        self._meters.dead_letters.inc()
        log.error("the ledger refuses a request; it is kept in %s: %s", path, error)

    def _hold(self, problem: str, cause: str) -> None:
        """Wait before the next try, twice as long as before."""
        if problem != self._problem:
            log.warning("%s; what arrives waits in the spool", problem)
        self._problem = problem
        self._meters.failures.labels(cause).inc()
        self._pause_s = min(max(self._pause_s * 2, 0.2), _LONGEST_PAUSE_S)
        self._stopping.wait(self._pause_s)


def _write(path: Path, content: bytes) -> None:
    """Write a file durably; its name is durable once its folder is synced."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age_s(spool: Spool) -> float:
    oldest_s = spool.waiting().oldest_s
    return 0.0 if oldest_s is None else max(time.time() - oldest_s, 0.0)
