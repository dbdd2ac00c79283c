"""Requests wait here, durably, between their acknowledgement and the ledger.

One SQLite file (WAL, full sync) holds them: torn writes, full disks and crashes are
SQLite's business, not ours. `append` returns once the request is on the disk; all that
wait at the same moment share one commit. A request that was sent twice byte for byte
counts once, for as long as its digest is remembered.

Loading is in batches with a name that never changes: a batch that was cut is written
down before it is loaded, so that after a crash the same bytes go to the ledger under the
same name, which the ledger knows already or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import lz4.block

from farthing.errors import Overloaded

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spool (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_s REAL NOT NULL,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    seen_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS batch (first INTEGER NOT NULL, last INTEGER NOT NULL);
"""

_FORGOTTEN_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes as stored (compressed), times in seconds."""

    max_bytes: int = 4 * 1024**3
    max_waiting_bytes: int = 64 * 1024**2
    min_free_bytes: int = 256 * 1024**2
    remember_s: float = 3600.0
    remember_requests: int = 500_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that are loaded together, under a name that is theirs for good."""

    name: str
    first: int
    last: int
    requests: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the spool holds: how much, and since when (epoch seconds; None if empty)."""

    requests: int
    bytes: int
    oldest_s: float | None


@dataclass(slots=True)
class _Append:
    body: bytes
    done: asyncio.Future[None]
    loop: asyncio.AbstractEventLoop


class Spool:
    """The spool in `folder`, opened by one process at a time.

    `append` belongs to asyncio; `next_batch`, `shrink` and `finish` to one loader
    thread; `waiting` to anyone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits or Limits()
        self._clock_s = clock_s
        self._folder = folder
        self._file = folder / "spool.sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        self._loading = self._connect()
        self._loading.executescript(_SCHEMA)
        self._id = self._identity()
        self._lock = threading.Lock()
        self._stored = threading.Condition(self._lock)
        self._waiting = self._count()
        self._appends: list[_Append] = []
        self._append_bytes = 0
        self._wake = threading.Event()
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="spool-writer")
        self._writer.start()

    async def append(self, request: bytes, /) -> None:
        """Return once `request` is durable.

        Raises Overloaded where there is no room, in memory, in the spool or on disk.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._check_room(len(request))
            self._append_bytes += len(request)
            self._appends.append(_Append(request, done, loop))
        self._wake.set()
        await done

    def waiting(self) -> Waiting:
        """What waits now."""
        with self._lock:
            return self._waiting

    def wait_for_load(
        self, *, at_bytes: int, at_age_s: float, timeout_s: float
    ) -> bool:
        """Block until enough waits, or has waited long enough; False after the timeout.

        `at_bytes` counts stored bytes.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._stored:
            while True:
                left_s = self._until_due_s(at_bytes, at_age_s)
                remaining_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return True
                if remaining_s <= 0 or self._closed:
                    return False
                self._stored.wait(min(left_s, remaining_s))

    def next_batch(self, *, max_bytes: int) -> Batch | None:
        """The batch that was being loaded, else a new one of the oldest requests.

        It holds at most `max_bytes` of requests, uncompressed, but at least one.
        None if nothing waits.
        """
        bounds = self._loading.execute("SELECT first, last FROM batch").fetchone()
        if bounds is None:
            bounds = self._cut(max_bytes)
            if bounds is None:
                return None
            with self._loading:
                self._loading.execute("INSERT INTO batch VALUES (?, ?)", bounds)
        return self._read(*bounds)

    def shrink(self, batch: Batch) -> None:
        """Cut the batch to its first half; the rest waits for a later one."""
        ids = self._ids(batch)
        with self._loading:
            self._loading.execute(
                "UPDATE batch SET last = ?", (ids[len(ids) // 2 - 1],)
            )

    def finish(self, batch: Batch) -> None:
        """Forget the requests of a batch: they are in the ledger, or put aside."""
        bounds = (batch.first, batch.last)
        count, size = self._loading.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM requests"
            " WHERE id BETWEEN ? AND ?",
            bounds,
        ).fetchone()
        with self._loading:
            self._loading.execute("DELETE FROM batch")
            self._loading.execute(
                "DELETE FROM requests WHERE id BETWEEN ? AND ?", bounds
            )
        self._loading.execute("PRAGMA incremental_vacuum(4096)")
        oldest_s = self._oldest_s()
        with self._lock:
            held = self._waiting
            self._waiting = Waiting(held.requests - count, held.bytes - size, oldest_s)

    def forget(self, batch: Batch) -> None:
        """Let the requests of a batch be sent again, and count again."""
        digests = [(_digest(lz4.block.compress(body)),) for body in batch.requests]
        with self._loading:
            self._loading.executemany("DELETE FROM seen WHERE digest = ?", digests)

    def close(self) -> None:
        """Finish the commit under way and close the file."""
        with self._stored:
            self._closed = True
            self._stored.notify_all()
        self._wake.set()
        self._writer.join()
        self._loading.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=60, check_same_thread=False)
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _identity(self) -> str:
        """A name for this spool, made once: batches of two spools never share one."""
        with self._loading:
            self._loading.execute(
                "INSERT INTO spool SELECT ? WHERE NOT EXISTS (SELECT * FROM spool)",
                (uuid.uuid4().hex[:12],),
            )
        return str(self._loading.execute("SELECT id FROM spool").fetchone()[0])

    def _count(self) -> Waiting:
        count, size = self._loading.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM requests"
        ).fetchone()
        return Waiting(count, size, self._oldest_s())

    def _oldest_s(self) -> float | None:
        oldest = self._loading.execute(
            "SELECT received_s FROM requests ORDER BY id LIMIT 1"
        ).fetchone()
        return None if oldest is None else float(oldest[0])

    def _check_room(self, size: int) -> None:
        limits = self._limits
        if self._closed:
            raise Overloaded("the collector is stopping", retry_after_s=5)
        if self._waiting.bytes >= limits.max_bytes:
            raise Overloaded(
                f"the spool is full: {self._waiting.requests} requests wait for the "
                "ledger; raise spool_max_bytes or see why loading is behind",
                retry_after_s=15,
            )
        if self._appends and self._append_bytes + size > limits.max_waiting_bytes:
            raise Overloaded("requests arrive faster than the disk", retry_after_s=1)

    def _until_due_s(self, at_bytes: int, at_age_s: float) -> float:
        if self._waiting.bytes >= at_bytes:
            return 0.0
        if self._waiting.oldest_s is None:
            return float("inf")
        return self._waiting.oldest_s + at_age_s - self._clock_s()

    # --- the writer's thread: one commit for all that wait

    def _write(self) -> None:
        with closing(self._connect()) as connection:
            while True:
                self._wake.wait()
                with self._lock:
                    self._wake.clear()
                    group, self._appends = self._appends, []
                    self._append_bytes = 0
                    closed = self._closed
                if group:
                    self._commit(connection, group)
                elif closed:
                    return

    def _commit(self, connection: sqlite3.Connection, group: Sequence[_Append]) -> None:
        error: Overloaded | None = None
        try:
            self._check_disk()
            self._store(connection, group)
        except Overloaded as full:
            error = full
        except sqlite3.Error as failed:
            connection.rollback()
            error = Overloaded(
                f"the spool cannot be written: {failed}", retry_after_s=10
            )
        _answer(group, error)

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < self._limits.min_free_bytes:
            raise Overloaded(
                f"the disk of {self._folder} is full: {free} bytes are free, "
                f"{self._limits.min_free_bytes} are kept for the ledger",
                retry_after_s=30,
            )

    def _store(self, connection: sqlite3.Connection, group: Sequence[_Append]) -> None:
        now_s = self._clock_s()
        count = size = 0
        connection.execute("BEGIN IMMEDIATE")
        for append in group:
            body = lz4.block.compress(append.body)
            fresh = connection.execute(
                "INSERT OR IGNORE INTO seen (digest, seen_s) VALUES (?, ?)",
                (_digest(body), now_s),
            )
            if fresh.rowcount:
                connection.execute(
                    "INSERT INTO requests (received_s, size, body) VALUES (?, ?, ?)",
                    (now_s, len(append.body), body),
                )
                count, size = count + 1, size + len(body)
        self._forget_old(connection, now_s)
        connection.commit()
        with self._stored:
            held = self._waiting
            oldest_s = now_s if held.oldest_s is None and count else held.oldest_s
            self._waiting = Waiting(held.requests + count, held.bytes + size, oldest_s)
            self._stored.notify_all()

    def _forget_old(self, connection: sqlite3.Connection, now_s: float) -> None:
        """Drop digests beyond the window, of time and of number, a few at a time."""
        first, last = connection.execute("SELECT min(id), max(id) FROM seen").fetchone()
        connection.execute(
            "DELETE FROM seen WHERE id < ? AND (seen_s < ? OR id <= ?)",
            (
                first + _FORGOTTEN_AT_ONCE,
                now_s - self._limits.remember_s,
                last - self._limits.remember_requests,
            ),
        )

    # --- the loader's thread

    def _cut(self, max_bytes: int) -> tuple[int, int] | None:
        total, first, last = 0, None, None
        rows = self._loading.execute("SELECT id, size FROM requests ORDER BY id")
        for id_, size in rows:
            total += size
            if first is not None and total > max_bytes:
                break
            first, last = (id_ if first is None else first), id_
        rows.close()
        return None if first is None or last is None else (first, last)

    def _read(self, first: int, last: int) -> Batch:
        rows = self._loading.execute(
            "SELECT body FROM requests WHERE id BETWEEN ? AND ? ORDER BY id",
            (first, last),
        )
        requests = tuple(lz4.block.decompress(body) for (body,) in rows)
        return Batch(f"{self._id}:{first}-{last}", first, last, requests)

    def _ids(self, batch: Batch) -> list[int]:
        rows = self._loading.execute(
            "SELECT id FROM requests WHERE id BETWEEN ? AND ? ORDER BY id",
            (batch.first, batch.last),
        )
        return [id_ for (id_,) in rows]


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


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
        else:
            done.set_exception(error)
