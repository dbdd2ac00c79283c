"""A spool with a clock of its own, and a reader beside it."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from farthing.collector.spool import Limits, Spool

START_S = 1_790_000_000.0
WINDOW_S = 600.0
WINDOW_REQUESTS = 20
LIMITS = Limits(
    min_free_bytes=0,
    prompt_s=math.inf,
    remember_s=WINDOW_S,
    remember_requests=WINDOW_REQUESTS,
)
ALL = 1 << 30


@dataclass
class Clock:
    """Seconds since the epoch, as a test sets them."""

    now_s: float = START_S

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def opened(
    folder: Path, *, limits: Limits = LIMITS, clock: Clock | None = None
) -> Iterator[Spool]:
    """The spool in a folder, closed in the end."""
    spool = Spool(folder, limits=limits, clock_s=clock or Clock())
    try:
        yield spool
    finally:
        spool.close()


def append(spool: Spool, *requests: bytes) -> None:
    """Append requests one after the other, for a test without an event loop."""

    async def each() -> None:
        for request in requests:
            await spool.append(request)

    asyncio.run(each())


def drain(spool: Spool, *, max_bytes: int = ALL) -> list[bytes]:
    """All that waits, in its order, finished."""
    requests: list[bytes] = []
    while batch := spool.next_batch(max_bytes=max_bytes):
        requests += batch.requests
        spool.finish(batch)
    return requests


def stored(folder: Path) -> int:
    """How many requests another process would find in the file."""
    with closing(sqlite3.connect(folder / "spool.sqlite")) as reader:
        [count] = reader.execute("SELECT count(*) FROM requests").fetchone()
        return int(count)
