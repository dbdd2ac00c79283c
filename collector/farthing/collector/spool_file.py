"""The spool's SQLite file: what waits, the batch under way, what was seen before."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, overload

import lz4.block

from farthing.errors import ConfigError

_FORMAT: Final = 1
"""Kept as SQLite's user_version, by `spool_file.sql`; 0 is a file nobody wrote."""

_PAGE_BYTES: Final = 16384
_SETTINGS: Final = (
    f"page_size = {_PAGE_BYTES}",
    "auto_vacuum = INCREMENTAL",
    "journal_mode = WAL",
    "journal_size_limit = 67108864",
    "synchronous = FULL",
    "fullfsync = ON",  # macOS: without it the disk may keep a commit in its cache
    "secure_delete = ON",  # what agents sent may hold content: it is overwritten
)

_FORGET_BY_NUMBER: Final = """
DELETE FROM seen WHERE id <= (SELECT max(id) FROM seen) - :number RETURNING digest
"""
_FORGET_BY_AGE: Final = """
DELETE FROM seen WHERE id < ifnull(
    (SELECT id FROM seen WHERE seen_s >= :since ORDER BY id LIMIT 1), 1 << 62
) RETURNING digest
"""
_LEFT: Final = """
SELECT
    (SELECT count(*) FROM requests),
    (SELECT count(*) FROM batch JOIN requests ON id BETWEEN first AND last)
"""
_BUSY_TIMEOUT_S: Final = 5.0
_REQUEST_BYTES: Final = 100
"""What a request in a batch takes beside its own bytes: bounds how many there are."""
_KEPT_PAGES: Final = 4096
_PAGES_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Packed(Sequence[bytes]):
    """Requests as they were received, each unpacked when it is looked at: a batch of
    them would take eight times the memory."""

    bodies: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.bodies)

    @overload
    def __getitem__(self, at: int, /) -> bytes: ...
    @overload
    def __getitem__(self, at: slice, /) -> Packed: ...
    def __getitem__(self, at: int | slice, /) -> bytes | Packed:
        if isinstance(at, slice):
            return Packed(self.bodies[at])
        request: bytes = lz4.block.decompress(self.bodies[at])
        return request


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that are loaded together, under a name that is theirs for good."""

    name: str
    first: int
    last: int
    requests: Packed = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the spool holds: how much, and since when (epoch seconds; None if empty)."""

    requests: int
    bytes: int
    oldest_s: float | None


@dataclass(slots=True)
class _Changes:
    """What a transaction does to that which is kept in memory beside the file."""

    requests: int = 0
    stored_bytes: int = 0
    remembered: set[bytes] = field(default_factory=set)
    forgotten: set[bytes] = field(default_factory=set)


class SpoolFile:
    """The file in `folder`: `store` is one thread's, all else another's.

    Attributes:
        waiting: What waits; never behind a call that has returned.
        unused_bytes: What the file takes and holds nothing in; `store` fills that
            first. As of the last commit: to ask the file would wait for the next one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock_s: Callable[[], float],
        remember_s: float,
        remember_requests: int,
    ) -> None:
        self._clock_s = clock_s
        self._remember_s = remember_s
        self._remember_requests = remember_requests
        self._path = folder / "spool.sqlite"
        self._writing = threading.Lock()
        try:
            make_private(folder)
            with ExitStack() as failing:
                self._loading = self._connect(failing)
                self._prepare()
                self._storing = self._connect(failing)
                self.waiting = self._count()
                self.unused_bytes = _unused_bytes(self._loading)
                rows = self._loading.execute("SELECT digest FROM seen")
                self._seen: set[bytes] = {digest for (digest,) in rows}
                failing.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                f"the spool {self._path} cannot be opened: {error}. Is the disk full? "
                "Make room, and start again: nothing is lost. If the file is damaged, "
                "move it away: what waits in it is then not loaded"
            ) from error

    def store(self, requests: Sequence[bytes]) -> None:
        """Make requests durable, those that were seen before left out."""
        packed = [(len(body), lz4.block.compress(body)) for body in requests]
        now_s = self._clock_s()
        with self._transaction(self._storing) as changes:
            self._forget(now_s, changes)
            for size, body in packed:
                # Of the compressed bytes: there are fewer of them.
                digest = hashlib.blake2b(body, digest_size=16).digest()
                if not self._is_new(digest, changes):
                    continue
                added = self._storing.execute(
                    "INSERT INTO requests (received_s, size, body) VALUES (?, ?, ?)",
                    (now_s, size, body),
                )
                self._storing.execute(
                    "INSERT INTO seen VALUES (?, ?, ?)",
                    (added.lastrowid, digest, now_s),
                )
                changes.remembered.add(digest)
                changes.requests += 1
                changes.stored_bytes += len(body)

    def next_batch(self, *, max_bytes: int) -> Batch | None:
        """The batch that was being loaded, else a new one of the oldest requests.

        It holds at most `max_bytes` of requests, uncompressed, but at least one.
        None if nothing waits.
        """
        under_way = self._loading.execute("SELECT name, first, last FROM batch")
        cut = under_way.fetchone() or self._cut(max_bytes)
        if cut is None:
            return None
        name, first, last = cut
        rows = self._loading.execute(
            "SELECT body FROM requests WHERE id BETWEEN ? AND ? ORDER BY id",
            (first, last),
        )
        return Batch(name, first, last, Packed(tuple(body for (body,) in rows)))

    def shrink(self, batch: Batch) -> None:
        """Cut the batch to its first half, with a new name; the rest waits again."""
        with self._transaction(self._loading):
            self._loading.execute(
                "UPDATE batch SET name = ?, last = (SELECT id FROM requests"
                " WHERE id >= first ORDER BY id LIMIT 1 OFFSET ?)",
                (self._new_name(), len(batch.requests) // 2 - 1),
            )

    def finish(self, batch: Batch) -> None:
        """Drop the requests of a batch: they are in the ledger."""
        with self._transaction(self._loading) as changes:
            self._drop(batch, changes)
        self._give_back()
        self._empty_log()

    def give_up(self, batch: Batch) -> None:
        """Drop the requests of a batch; sent again, they count as new ones."""
        with self._transaction(self._loading) as changes:
            self._drop(batch, changes)
            forgotten = self._loading.execute(
                "DELETE FROM seen WHERE id BETWEEN ? AND ? RETURNING digest",
                (batch.first, batch.last),
            )
            changes.forgotten.update(digest for (digest,) in forgotten)
        self._give_back()
        self._empty_log()

    def close(self) -> None:
        """Close the file; nothing is under way."""
        self._storing.close()
        self._loading.close()

    def _connect(self, failing: ExitStack) -> sqlite3.Connection:
        """A connection that is closed where `failing` ends."""
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        failing.callback(connection.close)
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        return connection

    def _prepare(self) -> None:
        """Make the tables in a new file; refuse one that is not of this format."""
        version = _number(self._loading, "user_version")
        tables = self._loading.execute("SELECT * FROM sqlite_schema").fetchall()
        if not version and not tables:
            schema = files(__package__) / "spool_file.sql"
            self._loading.executescript(schema.read_text())
        elif version != _FORMAT:
            raise ConfigError(
                f"the spool {self._path} has format {version}, not {_FORMAT}: let the "
                "version that wrote it load what waits, or move the file away"
            )

    def _count(self) -> Waiting:
        row = self._loading.execute(
            "SELECT count(*), ifnull(sum(length(body)), 0),"
            " (SELECT received_s FROM requests ORDER BY id LIMIT 1) FROM requests"
        ).fetchone()
        return Waiting(*row)

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[_Changes]:
        """One at a time; what is kept in memory changes with the commit, or not."""
        changes = _Changes()
        with self._writing:
            with connection:  # commits, or rolls back
                connection.execute("BEGIN IMMEDIATE")
                yield changes
                oldest = connection.execute(
                    "SELECT received_s FROM requests ORDER BY id LIMIT 1"
                ).fetchone()
                unused_bytes = _unused_bytes(connection)
            self.unused_bytes = unused_bytes
            self.waiting = Waiting(
                self.waiting.requests + changes.requests,
                self.waiting.bytes + changes.stored_bytes,
                oldest[0] if oldest else None,
            )
            self._seen -= changes.forgotten
            self._seen |= changes.remembered

    def _is_new(self, digest: bytes, changes: _Changes) -> bool:
        known = digest in self._seen and digest not in changes.forgotten
        return not known and digest not in changes.remembered

    def _forget(self, now_s: float, changes: _Changes) -> None:
        """Drop digests beyond the window, of time and of number."""
        bounds = {"since": now_s - self._remember_s, "number": self._remember_requests}
        for statement in (_FORGET_BY_NUMBER, _FORGET_BY_AGE):
            rows = self._storing.execute(statement, bounds)
            changes.forgotten.update(digest for (digest,) in rows)

    def _cut(self, max_bytes: int) -> tuple[str, int, int] | None:
        """Name the oldest requests a batch, and write that down."""
        total, first, last = 0, None, 0
        rows = self._loading.execute("SELECT id, size FROM requests ORDER BY id")
        for id_, size in rows:
            total += size + _REQUEST_BYTES
            if first is not None and total > max_bytes:
                break
            first, last = first or id_, id_
        rows.close()
        if first is None:
            return None
        cut = (self._new_name(), first, last)
        with self._transaction(self._loading):
            self._loading.execute("INSERT INTO batch VALUES (1, ?, ?, ?)", cut)
        return cut

    def _new_name(self) -> str:
        """Never used before, not even by a later state of a file that was put back."""
        now = datetime.fromtimestamp(self._clock_s(), UTC)
        return f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:16]}"

    def _drop(self, batch: Batch, changes: _Changes) -> None:
        self._loading.execute("DELETE FROM batch")
        dropped = self._loading.execute(
            "DELETE FROM requests WHERE id BETWEEN ? AND ? RETURNING length(body)",
            (batch.first, batch.last),
        )
        for (size,) in dropped:
            changes.requests -= 1
            changes.stored_bytes -= size

    def _give_back(self) -> None:
        """Return unused disk, as far as it is more than what is used.

        That costs writing, so it is not done for little, and never while it fails.
        """
        with suppress(sqlite3.Error):
            free = _number(self._loading, "freelist_count")
            pages = _number(self._loading, "page_count")
            surplus = 2 * free - pages if free > _KEPT_PAGES else 0
            for _ in range(0, surplus, _PAGES_AT_ONCE):
                with self._writing:
                    # `execute` would stop after its first step, which is one page.
                    self._loading.executescript(
                        f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})"
                    )
                    self.unused_bytes = _unused_bytes(self._loading)

    def _empty_log(self) -> None:
        """Where nothing waits, let the log forget what did: it is a copy."""
        if self.waiting.requests:
            return
        with suppress(sqlite3.Error), self._writing:
            self._loading.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def left_in(folder: Path) -> tuple[int, int]:
    """How many requests wait in a spool, which is only read; and how many of them are
    of a batch that was being loaded: where the collector was killed, the ledger may
    have those. Raises ConfigError where it cannot be read."""
    path = folder / "spool.sqlite"
    if not path.exists():
        return 0, 0
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            waiting, under_way = connection.execute(_LEFT).fetchone()
    except sqlite3.Error as error:
        raise ConfigError(f"the spool {path} cannot be read: {error}") from error
    return waiting, under_way


def make_private(folder: Path) -> None:
    """Make a folder that nobody else may look into; one that is there becomes one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # of another user, who decided who may
        folder.chmod(0o700)


def _unused_bytes(connection: sqlite3.Connection) -> int:
    return _PAGE_BYTES * _number(connection, "freelist_count")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
