"""The watch on a thread of its own: loading does not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Gauge

from farthing.collector.store.client import Refused
from farthing.collector.watch.waiting import Waiting
from farthing.errors import StoreUnavailable

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
"""Batches that are watched together where several wait: what is asked for each round is
asked once then, so that a watch that fell behind catches up. Bounds what is read."""
_PAUSE_S: Final = 1.0


class Watch(Protocol):
    """What is done with batches: `Watcher` says how."""

    def __call__(self, *batch_names: str) -> None: ...

    def look_again(self) -> bool: ...


def _nothing() -> None:
    """What follows a round where nothing does."""


class Watching:
    """Watches batches in the order in which they were loaded, until it is stopped.

    A batch waits, by its name, in a file until it was watched; so a stop or a crash
    makes it late and loses nothing. `watched` is called after each round.
    """

    def __init__(
        self,
        waiting: Waiting,
        watch: Watch,
        *,
        registry: CollectorRegistry,
        watched: Callable[[], None] = _nothing,
    ) -> None:
        self._waiting = waiting
        self._watch = watch
        self._watched = watched
        self._stopping = threading.Event()
        self._added = threading.Event()
        self._is_held = False
        self._thread = threading.Thread(target=self._run, name="watch")
        batches = Gauge(
            "farthing_watch_waiting_batches",
            "Batches that are loaded and not yet watched",
            registry=registry,
        )
        batches.set_function(lambda: len(waiting))
        lag = Gauge(
            "farthing_watch_lag_seconds",
            "How long the oldest of them has waited",
            registry=registry,
        )
        lag.set_function(waiting.lag_s)

    def start(self) -> None:
        """Begin with what a collector before left."""
        self._thread.start()

    def add(self, batch_name: str) -> None:
        """Watch this batch, which is loaded and settled. On return it is certain that
        it will be; raises `sqlite3.Error` otherwise."""
        self._waiting.put(batch_name)
        self._added.set()

    @property
    def is_idle(self) -> bool:
        """Whether all that was added was watched."""
        return len(self._waiting) == 0

    def stop(self) -> None:
        """Finish the round under way and end; what waits is watched after a start."""
        self._stopping.set()
        self._added.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._added.clear()
            try:
                is_all = self._round()
                is_done = is_all and not self._look_again()
            except StoreUnavailable as error:
                self._hold(error)
            except Exception:  # the thread must outlive everything
                log.exception("watching failed; what is loaded waits")
                self._stopping.wait(_PAUSE_S)
            else:
                self._is_held = False
                if is_all:
                    self._added.wait(None if is_done else _PAUSE_S)

    def _round(self) -> bool:
        """Watch the oldest batches; whether no more were left."""
        names = self._waiting.oldest(_AT_ONCE)
        if names:
            attempt(self._watch, *names)
            self._waiting.done(names)
            self._watched()
        return len(names) < _AT_ONCE

    def _look_again(self) -> bool:
        try:
            return self._watch.look_again()
        except Refused:
            log.exception("runs cannot be looked at again")
            return False

    def _hold(self, error: StoreUnavailable) -> None:
        """Wait before the next try."""
        if not self._is_held:
            log.warning("runs cannot be watched: %s; what is loaded waits", error)
        self._is_held = True
        self._stopping.wait(_PAUSE_S)


def attempt(watch: Watch, *batch_names: str) -> None:
    """Watch batches. What we fail to judge is told in the log and passed over: it would
    fail again, and the ledger is right without it. Raises StoreUnavailable."""
    try:
        watch(*batch_names)
    except StoreUnavailable:
        raise
    except Exception:
        if len(batch_names) > 1:
            for name in batch_names:
                attempt(watch, name)
        else:
            log.exception("the runs of batch %s cannot be watched", *batch_names)
