"""Requests wait here, durably, between their acknowledgement and the ledger.

One SQLite file (WAL, full sync) holds them: torn writes, full disks and crashes are
SQLite's business, not ours. `append` returns once the request is on the disk; all that
wait at the same moment share one commit. A request that was sent twice byte for byte
counts once, for as long as its digest is remembered.

Loading is in batches with a name that never changes: a batch that was cut is written
down before it is loaded, so that after a crash the same bytes go to the ledger under
the same name, which the ledger knows already or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from farthing.collector.spool_file import Batch, SpoolFile, Waiting, left_in
from farthing.errors import Overloaded

__all__ = ["Batch", "Limits", "Spool", "Waiting", "left_in"]

log = logging.getLogger(__name__)

_PAUSE_PER_S = 0.1
_LONGEST_PAUSE_S = 0.5  # exporters give up after 10 s
_SLOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the spool may take. Sizes in bytes, times in seconds.

    Attributes:
        max_bytes: What may wait on disk, compressed.
        max_queued_bytes: What may wait in memory for the next commit, as received; the
            commit under way holds as much again.
        min_free_bytes: What is left free on the disk; beyond it the file does not grow.
        prompt_s: When the oldest has waited so long for the ledger, senders are slowed.
        remember_s: For how long a request that comes again is known,
        remember_requests: and among how many.
    """

    max_bytes: int = 4 * 1024**3
    max_queued_bytes: int = 64 * 1024**2
    min_free_bytes: int = 256 * 1024**2
    prompt_s: float = 2.0
    remember_s: float = 3600.0
    remember_requests: int = 200_000


@dataclass(frozen=True, slots=True)
class _Append:
    body: bytes
    done: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop


class Spool:
    """The spool in `folder`, opened by one process at a time.

    `append` belongs to asyncio, in any number of event loops; `wait_for_load`,
    `next_batch`, `shrink`, `finish` and `give_up` to one loader thread; `waiting` and
    `why_full` to anyone.

    Errors: ConfigError for a file that cannot be opened; `sqlite3.Error` and OSError
    where the loader's calls cannot read or write: nothing changed then, call again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits or Limits()
        self._folder = folder
        self._clock_s = clock_s
        self._file = SpoolFile(
            folder,
            clock_s=clock_s,
            remember_s=self._limits.remember_s,
            remember_requests=self._limits.remember_requests,
        )
        self.next_batch = self._file.next_batch
        self.shrink = self._file.shrink
        self.finish = self._file.finish
        self.give_up = self._file.give_up
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._stored = threading.Condition(self._lock)
        self._queue: list[_Append] = []
        self._queued_bytes = 0
        self._closed = False
        self._refusing = False
        self._writing_since_s: float | None = None
        self._writer = threading.Thread(
            target=self._write, name="spool-writer", daemon=True
        )
        self._writer.start()

    async def append(self, request: bytes, /) -> None:
        """Return once `request` is durable, a little later where loading is behind:
        senders are slowed down then, none is refused, and what was sent is soon seen.

        Raises Overloaded where there is no room, in memory, in the spool or on disk. A
        sender that is cancelled meanwhile may find its request stored all the same.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._check_room(len(request))
            self._queued_bytes += len(request)
            self._queue.append(_Append(request, done, loop))
            self._arrived.notify()
        await done
        pause_s = self._pause_s()
        if pause_s:
            await asyncio.sleep(pause_s)

    def waiting(self) -> Waiting:
        """What waits now."""
        return self._file.waiting

    def why_full(self) -> str | None:
        """Why no request can be taken now, or None; never waits for the disk."""
        try:
            self._check_room(0)
            self._check_disk()
        except Overloaded as full:
            return str(full)
        since_s = self._writing_since_s
        took_s = 0.0 if since_s is None else self._clock_s() - since_s
        if took_s > _SLOW_S:
            return (
                f"the disk of {self._folder} is slow: a commit is under way for "
                f"{took_s:.0f} s, and senders wait for it"
            )
        return None

    def wait_for_load(
        self, *, at_bytes: int, at_age_s: float, timeout_s: float
    ) -> bool:
        """Block until enough waits, or has waited long enough; False after the timeout.

        `at_bytes` counts stored bytes.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._stored:
            while not self._closed:
                due_in_s = self._due_in_s(at_bytes, at_age_s)
                if due_in_s <= 0:
                    return True
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._stored.wait(min(due_in_s, left_s))
        return False

    def close(self) -> None:
        """Store what was already taken in, and close the file."""
        with self._lock:
            self._closed = True
            self._arrived.notify()
            self._stored.notify_all()
        self._writer.join()
        self._file.close()

    def _check_room(self, size: int) -> None:
        limits = self._limits
        if self._closed:
            raise Overloaded("the collector is stopping", retry_after_s=5)
        waiting = self._file.waiting
        if waiting.bytes >= limits.max_bytes:
            raise Overloaded(
                f"the spool is full: {waiting.requests} requests wait for the ledger; "
                "raise spool_max_bytes or see why loading is behind",
                retry_after_s=15,
            )
        if self._queue and self._queued_bytes + size > limits.max_queued_bytes:
            raise Overloaded("requests arrive faster than the disk", retry_after_s=1)

    def _pause_s(self) -> float:
        """How long a sender is made to wait: longer, the further loading is behind."""
        oldest_s = self._file.waiting.oldest_s
        if oldest_s is None:
            return 0.0
        behind_s = self._clock_s() - oldest_s - self._limits.prompt_s
        return min(max(behind_s * _PAUSE_PER_S, 0.0), _LONGEST_PAUSE_S)

    def _due_in_s(self, at_bytes: int, at_age_s: float) -> float:
        waiting = self._file.waiting
        if waiting.bytes >= at_bytes:
            return 0.0
        if waiting.oldest_s is None:
            return float("inf")
        age_s = self._clock_s() - waiting.oldest_s
        # Less than nothing: the clock was set back, and how far does not matter.
        return at_age_s - age_s if age_s >= 0 else 0.0

    # --- the writer's thread: one commit for all that wait

    def _write(self) -> None:
        while group := self._next_group():
            self._writing_since_s = self._clock_s()
            error = self._store(group)
            self._writing_since_s = None
            _answer(group, error)

    def _next_group(self) -> list[_Append]:
        """All that wait, as soon as one does; nothing once the spool is closed."""
        with self._arrived:
            while not self._queue and not self._closed:
                self._arrived.wait()
            group, self._queue = self._queue, []
            self._queued_bytes = 0
            return group

    def _store(self, group: Sequence[_Append]) -> Overloaded | None:
        """Commit a group; whatever goes wrong, its senders get an answer."""
        try:
            self._check_disk()
            self._file.store([append.body for append in group])
        except Overloaded as full:
            error = full
        except Exception as failed:  # noqa: BLE001 - or all senders would wait for ever
            error = Overloaded(
                f"the spool cannot be written: {failed}", retry_after_s=10
            )
        else:
            self._refusing = False
            with self._stored:
                self._stored.notify_all()
            return None
        if not self._refusing:
            log.error("senders are told to retry: %s", error)
        self._refusing = True
        return error

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._folder).free + self._file.unused_bytes
        if free < self._limits.min_free_bytes:
            raise Overloaded(
                f"the disk of {self._folder} is full: {free} bytes are free, "
                f"{self._limits.min_free_bytes} are kept for the ledger",
                retry_after_s=30,
            )


def _answer(group: Sequence[_Append], error: Overloaded | None) -> None:
    """Wake the senders of a group, each in its own event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for append in group:
        by_loop.setdefault(append.loop, []).append(append.done)
    for loop, waiters in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_settle, waiters, error)


def _settle(waiters: Sequence[asyncio.Future[None]], error: Overloaded | None) -> None:
    for done in waiters:
        if done.done():  # the sender went away
            continue
        if error is None:
            done.set_result(None)
        else:  # one each: an exception that many tasks raise holds all their frames
            own = Overloaded(str(error), retry_after_s=error.retry_after_s)
            done.set_exception(own)
