"""Appending: what an acknowledgement means, what counts once, what is refused."""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from farthing.collector.spool import Limits, Spool
from farthing.errors import Overloaded
from tests.spool.spooling import (
    LIMITS,
    WINDOW_REQUESTS,
    WINDOW_S,
    Clock,
    append,
    drain,
    opened,
    stored,
)

LOCKED_FOR_S = 0.1


async def test_acknowledged_is_committed(tmp_path: Path) -> None:
    """When append returns, another process finds the request in the file."""
    with opened(tmp_path) as spool:
        for number in range(1, 4):
            await spool.append(b"request %d" % number)
            assert stored(tmp_path) == number


async def test_not_acknowledged_before_the_commit(tmp_path: Path) -> None:
    """While the commit cannot happen, append does not return."""
    with (
        opened(tmp_path) as spool,
        closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(spool.append(b"request"))
        _, pending = await asyncio.wait({waiting}, timeout=LOCKED_FOR_S)
        assert pending == {waiting}
        other.rollback()
        await waiting
        assert stored(tmp_path) == 1


def test_commits_are_synced(tmp_path: Path) -> None:
    """Both connections write ahead, and sync before a commit returns."""
    with opened(tmp_path) as spool:
        for connection in (spool._file._storing, spool._file._loading):
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_many_senders_share_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that wait at the same moment are committed together, in order."""
    requests = [b"request %d" % number for number in range(2000)]
    with opened(tmp_path, limits=Limits(min_free_bytes=0)) as spool:
        groups: list[int] = []
        store = spool._file.store

        def counted(group: Sequence[bytes]) -> None:
            groups.append(len(group))
            store(group)

        monkeypatch.setattr(spool._file, "store", counted)
        await asyncio.gather(*map(spool.append, requests))
        assert sum(groups) == len(requests) > len(groups)
        assert drain(spool) == requests


async def test_same_bytes_count_once(tmp_path: Path) -> None:
    """A request that is sent twice is acknowledged twice and kept once: in one commit,
    in another, after it was loaded and after the spool was opened again."""
    with opened(tmp_path) as spool:
        await asyncio.gather(*(spool.append(b"same") for _ in range(5)))
        await spool.append(b"same")
        assert drain(spool) == [b"same"]
        await spool.append(b"same")
    with opened(tmp_path) as spool:
        await spool.append(b"same")
        assert spool.waiting().requests == 0
        assert drain(spool) == []


@pytest.mark.parametrize("reopened", [False, True])
def test_same_bytes_count_again_beyond_the_window(
    tmp_path: Path, reopened: bool
) -> None:
    """A request that comes again after the window counts as a new one."""
    clock = Clock()
    with opened(tmp_path, clock=clock) as spool:
        append(spool, b"same")
        clock.now_s += WINDOW_S
        append(spool, b"same")
        if not reopened:
            clock.now_s += 0.001
            append(spool, b"same")
            assert drain(spool) == [b"same", b"same"]
    if reopened:
        clock.now_s += 0.001
        with opened(tmp_path, clock=clock) as spool:
            append(spool, b"same")
            assert drain(spool) == [b"same", b"same"]


def test_same_bytes_count_again_beyond_the_number(tmp_path: Path) -> None:
    """Only so many requests are remembered, so memory is bounded."""
    others = [b"other %d" % number for number in range(WINDOW_REQUESTS)]
    with opened(tmp_path) as spool:
        append(spool, b"same", *others[1:], b"same")
        assert spool.waiting().requests == WINDOW_REQUESTS
        append(spool, others[0], b"same")
        assert spool.waiting().requests == WINDOW_REQUESTS + 2
        assert len(spool._file._seen) <= WINDOW_REQUESTS + 1


async def test_senders_are_slowed_while_loading_is_behind(tmp_path: Path) -> None:
    """Where what waits has waited long, a request is stored at once and its sender is
    told a little later."""
    clock, limits = Clock(), replace(LIMITS, prompt_s=2.0)
    with opened(tmp_path, limits=limits, clock=clock) as spool:
        await spool.append(b"first")
        clock.now_s += 60
        second = asyncio.create_task(spool.append(b"second"))
        assert await asyncio.to_thread(
            spool.wait_for_load,
            at_bytes=spool.waiting().bytes + 1,
            at_age_s=math.inf,
            timeout_s=60,
        )
        assert not second.done()
        await second


def test_full_spool_refuses_and_recovers(tmp_path: Path) -> None:
    """A spool that holds its limit asks senders to retry, until it was loaded."""
    with opened(tmp_path, limits=replace(LIMITS, max_bytes=10)) as spool:
        append(spool, b"fills it: " + bytes(range(256)))
        with pytest.raises(Overloaded, match="spool_max_bytes") as refused:
            append(spool, b"one more")
        assert refused.value.retry_after_s > 0
        assert spool.why_full() == str(refused.value)
        drain(spool)
        assert spool.why_full() is None
        append(spool, b"one more")
        assert drain(spool) == [b"one more"]


async def test_queue_is_bounded(tmp_path: Path) -> None:
    """While the disk is slow, memory takes its limit of requests and no more, and one
    that is larger than the limit is taken alone."""
    limits = replace(LIMITS, max_queued_bytes=1000)
    with (
        opened(tmp_path, limits=limits) as spool,
        closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other,
    ):
        await spool.append(bytes(2000))
        other.execute("BEGIN IMMEDIATE")
        sent = [
            asyncio.create_task(spool.append(b"%d" % number + bytes(399)))
            for number in range(20)
        ]
        done, pending = await asyncio.wait(sent, timeout=LOCKED_FOR_S)
        assert all(isinstance(task.exception(), Overloaded) for task in done)
        # Two wait in the queue; before them the writer may have taken one, or two.
        assert 2 <= len(pending) <= 4
        other.rollback()
        await asyncio.gather(*pending)


async def test_too_little_free_disk_refuses(tmp_path: Path) -> None:
    """What is free on the disk stays free, for the ledger."""
    with opened(tmp_path, limits=replace(LIMITS, min_free_bytes=1 << 62)) as spool:
        with pytest.raises(Overloaded, match="disk"):
            await spool.append(b"request")
        assert stored(tmp_path) == 0
        assert "is full" in (spool.why_full() or "")


async def test_a_slow_disk_is_told_of_without_waiting_for_it(tmp_path: Path) -> None:
    """While a commit takes long the spool says so, and says it before the commit ends;
    afterwards it is as it was."""
    clock = Clock()
    with (
        opened(tmp_path, clock=clock) as spool,
        closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        sent = asyncio.create_task(spool.append(b"request"))
        await asyncio.wait({sent}, timeout=LOCKED_FOR_S)  # the writer is at the lock
        assert spool.why_full() is None
        clock.now_s += 60
        assert "slow: a commit is under way for 60 s" in (spool.why_full() or "")
        assert not sent.done()
        other.rollback()
        await sent
        assert spool.why_full() is None


async def test_failure_refuses_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails while writing, each sender is told to retry, in words, and the
    next request finds a writer that works."""
    with opened(tmp_path) as spool:

        def broken(requests: object) -> None:
            raise MemoryError("no memory")

        with monkeypatch.context() as patched:
            patched.setattr(spool._file, "store", broken)
            sent = await asyncio.gather(
                spool.append(b"a"), spool.append(b"b"), return_exceptions=True
            )
        assert [type(answer) for answer in sent] == [Overloaded, Overloaded]
        assert "no memory" in str(sent[0])
        assert sent[0] is not sent[1]
        await spool.append(b"a")
        assert drain(spool) == [b"a"]


async def test_cancelled_sender_disturbs_no_other(tmp_path: Path) -> None:
    """A sender that goes away leaves the others of its commit acknowledged."""
    with opened(tmp_path) as spool:
        gone = asyncio.create_task(spool.append(b"gone"))
        stays = asyncio.create_task(spool.append(b"stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
        await asyncio.wait({gone})
        assert gone.cancelled()
        assert b"stays" in drain(spool)


async def test_closed_event_loop_disturbs_no_other(tmp_path: Path) -> None:
    """A sender whose event loop was closed before the answer harms nobody."""
    with (
        opened(tmp_path) as spool,
        closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")

        async def leave() -> None:
            sending = asyncio.create_task(spool.append(b"left behind"))
            await asyncio.sleep(0)
            sending.cancel()

        left = threading.Thread(target=lambda: asyncio.run(leave()))
        left.start()
        left.join()
        other.rollback()
        await spool.append(b"request")
        assert drain(spool) == [b"left behind", b"request"]


async def test_close_stores_what_was_taken_in(tmp_path: Path) -> None:
    """Closing while requests wait for a commit stores and acknowledges them, and then
    refuses new ones."""
    spool = Spool(tmp_path, limits=LIMITS)
    with closing(sqlite3.connect(tmp_path / "spool.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        sent = [asyncio.create_task(spool.append(b"first"))]
        await asyncio.wait(sent, timeout=LOCKED_FOR_S)  # the writer is at the lock
        sent.append(asyncio.create_task(spool.append(b"second")))
        await asyncio.sleep(0)
        closing_ = asyncio.create_task(asyncio.to_thread(spool.close))
        await asyncio.wait({closing_}, timeout=LOCKED_FOR_S)
        with pytest.raises(Overloaded, match="stopping"):
            await spool.append(b"third")
        other.rollback()
        await asyncio.gather(closing_, *sent)
    with opened(tmp_path) as spool:
        assert drain(spool) == [b"first", b"second"]


def test_large_request(tmp_path: Path) -> None:
    """A request of 16 MiB that does not compress comes back as it was."""
    request = random.Random(1).randbytes(16 << 20)
    with opened(tmp_path) as spool:
        append(spool, request)
        assert drain(spool) == [request]
