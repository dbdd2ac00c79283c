"""The embedded engine, shared by many requests without one waiting for another.

A handle of chdb carries its own settings and database, and opening one costs 0.2 ms:
each request gets its own and drops it, so that nothing leaks from one request into
the next. The engine itself stays open between requests through one handle that runs
nothing. chdb releases the GIL while it works; the work is done in threads.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import chdb

from farthing.collector.web.clickhouse_errors import (
    TOO_MANY_ROWS_OR_BYTES,
    TOO_MANY_SIMULTANEOUS_QUERIES,
    ClickHouseError,
    from_engine,
)
from farthing.collector.web.clickhouse_pipe import limited_pipe

T = TypeVar("T")

_connect: Callable[[str], Any] = chdb.connect

_INPUT = re.compile(r"\binput\s*\(")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


def _half_of_the_cores() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True)
class QueryLimits:
    """What queries may take from the machine that also receives spans.

    A client may ask for less of each, never for more. `max_result_bytes` holds for
    the columns in the engine and for the answer in its format, before compression.
    """

    max_concurrent: int = 4
    max_queued: int = 32
    max_request_bytes: int = 4 * 1024**2
    max_threads: int = field(default_factory=_half_of_the_cores)
    max_execution_time_s: int = 30
    max_memory_bytes: int = 512 * 1024**2
    max_result_rows: int = 1_000_000
    max_result_bytes: int = 64 * 1024**2


@dataclass(frozen=True)
class Result:
    """What one statement gave: the bytes in its format, and what it cost."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_s: float = 0.0


class Handle:
    """One request's own view of the engine: its settings, its database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(
        self, sql: str | bytes, fmt: str, *, params: Mapping[str, str] | None = None
    ) -> Result:
        """Run `sql`; a FORMAT clause in it wins over `fmt`.

        Raises ClickHouseError with the engine's code.
        """
        with _translated():
            result = self._connection.query(sql, fmt, params=dict(params or {}))
        return Result(
            body=result.bytes() or b"",
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            result_rows=result.rows_read(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            elapsed_s=result.elapsed(),
        )

    def select(
        self, sql: str, fmt: str, *, params: Mapping[str, str], max_bytes: int
    ) -> Result:
        """Run a SELECT without a FORMAT clause, keeping at most `max_bytes` in memory.

        Raises ClickHouseError 396 for a larger answer.
        """
        with limited_pipe(max_bytes) as pipe:
            into = f"INTO OUTFILE {quoted(pipe.path)} APPEND FORMAT {quoted(fmt, '`')}"
            result = self.query(f"{sql} {into}", "Null", params=params)
        if pipe.overflowed:
            raise ClickHouseError(
                TOO_MANY_ROWS_OR_BYTES,
                f"Limit for result exceeded, max bytes: {max_bytes}",
            )
        return replace(result, body=pipe.body)

    def rows(self, sql: str, /, **params: str) -> list[dict[str, Any]]:
        """The rows of a small query of our own; `params` are bound as text."""
        bound = {name: value.translate(_ESCAPES) for name, value in params.items()}
        body = self.query(sql, "JSONEachRow", params=bound).body
        return [json.loads(line) for line in body.splitlines()]

    def insert(self, head: str, fmt: str, data: memoryview) -> Result:
        """Insert `data`, encoded in `fmt`, by the statement `head INSERT INTO ...`."""
        with _translated(), self._connection.send_insert(head, fmt) as stream:
            stream.append(data)
            result = stream.finish()
        return Result(
            body=b"",
            written_rows=result.rows_written,
            written_bytes=result.bytes_written,
            elapsed_s=result.elapsed,
        )

    def insert_read(self, head: str, fmt: str, data: memoryview) -> Result:
        """Insert what the SELECT in `head` makes of `data`, which it reads by input().

        The embedded engine has no input(): the data goes through a file.
        """
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            source = f"file({quoted(file.name)}, {quoted(fmt)}, "
            return self.query(_INPUT.sub(lambda _: source, head, count=1), "Null")

    def use(self, database: str) -> None:
        """Make `database` the one that unqualified names mean."""
        self.query(f"USE {quoted(database, '`')}", "Null")

    def set(self, settings: Mapping[str, str]) -> None:
        """Apply settings to this handle. Names must be identifiers already."""
        if settings:
            pairs = ", ".join(f"{k} = {quoted(v)}" for k, v in settings.items())
            self.query(f"SET {pairs}", "Null")


class Engine:
    """The chdb engine at `path`, for any number of concurrent callers.

    Args:
        path: The engine's folder. One path per process, one process per path.
        limits: How many statements run at once and how many may wait.
    """

    def __init__(self, path: str, *, limits: QueryLimits | None = None) -> None:
        self.limits = limits or QueryLimits()
        # chdb compares paths as text: all handles must spell it in one way, which is
        # also that of clickhouse-connect.
        self._path = os.path.realpath(path)
        self._keeps_open = _connect(self._path)
        self._threads = ThreadPoolExecutor(
            self.limits.max_concurrent, thread_name_prefix="clickhouse"
        )
        self._under_way = 0

    @contextmanager
    def handle(self) -> Iterator[Handle]:
        """A new handle, dropped at the end."""
        connection = _connect(self._path)
        try:
            yield Handle(connection)
        finally:
            connection.close()

    async def run(self, job: Callable[[Handle], T]) -> T:
        """Run `job` with its own handle in a thread.

        Raises ClickHouseError 202 when too many are running and waiting already.
        """
        if self._under_way >= self.limits.max_concurrent + self.limits.max_queued:
            raise ClickHouseError(
                TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many simultaneous queries: {self._under_way} are running or "
                "waiting. Try again later",
            )
        self._under_way += 1
        # Shielded: the thread goes on when the client leaves, and counts until it ends.
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, self._with_handle, job
        )
        work.add_done_callback(self._ended)
        return await asyncio.shield(work)

    def _ended(self, work: asyncio.Future[Any]) -> None:
        self._under_way -= 1
        if not work.cancelled():
            work.exception()  # seen, also when nobody waits for it any longer

    def _with_handle(self, job: Callable[[Handle], T]) -> T:
        with self.handle() as handle:
            return job(handle)

    def close(self) -> None:
        """Wait for what is running, then let go of the engine."""
        self._threads.shutdown(cancel_futures=True)
        self._keeps_open.close()


def quoted(text: str, quote: str = "'") -> str:
    """`text` as a literal (or, with a backquote, as an identifier) of ClickHouse."""
    return quote + text.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (chdb.ChdbError, RuntimeError) as error:
        raise from_engine(str(error)) from None
