"""Batches: cut once, named for good, loaded when they are due."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from farthing.collector.spool import Batch, Spool, Waiting
from tests.spool.spooling import ALL, LIMITS, START_S, Clock, append, drain, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER_S = 3600.0


def cut(spool: Spool, *, max_bytes: int = ALL) -> Batch:
    batch = spool.next_batch(max_bytes=max_bytes)
    assert batch is not None
    return batch


def test_nothing_waits(tmp_path: Path) -> None:
    """An empty spool has no batch."""
    with opened(tmp_path) as spool:
        assert spool.next_batch(max_bytes=ALL) is None
        assert spool.waiting() == Waiting(0, 0, None)


def test_oldest_first_up_to_a_size(tmp_path: Path) -> None:
    """Batches hold the oldest requests, as many as fit, but one at least."""
    requests = [bytes([number]) * 1000 for number in range(10)]
    with opened(tmp_path) as spool:
        append(spool, *requests)
        batch = cut(spool, max_bytes=3500)
        assert list(batch.requests) == requests[:3]
        spool.finish(batch)
        batch = cut(spool, max_bytes=1)
        assert list(batch.requests) == requests[3:4]


def test_many_small_requests_are_bounded_too(tmp_path: Path) -> None:
    """A batch of tiny requests is limited in their number, since each costs memory
    beside its bytes."""
    with opened(tmp_path, limits=replace(LIMITS, remember_requests=1)) as spool:
        append(spool, *(b"%02d" % number for number in range(30)))
        assert len(cut(spool, max_bytes=1020).requests) == 10


def test_batch_keeps_name_and_content(tmp_path: Path) -> None:
    """Until it is finished, a batch is the same whatever arrives, whatever is asked
    for, and after the spool was opened again."""
    with opened(tmp_path) as spool:
        append(spool, b"a", b"b")
        batch = cut(spool)
        append(spool, b"c")
        assert cut(spool, max_bytes=1) == batch
    with opened(tmp_path) as spool:
        assert cut(spool) == batch
        spool.finish(batch)
        assert list(cut(spool).requests) == [b"c"]


def test_names_are_not_used_again(tmp_path: Path) -> None:
    """Each batch has a name of its own: also where a copy of the file, as a backup is
    one, cuts other batches of the same requests."""
    names = set()
    for copy in ("one", "two"):
        with opened(tmp_path / copy) as spool:
            for number in range(3):
                append(spool, b"%d" % number)
                batch = cut(spool)
                names.add(batch.name)
                spool.finish(batch)
    assert len(names) == 6


def test_shrinking_ends_at_one_request(tmp_path: Path) -> None:
    """A batch that is shrunk is its own first half under a new name; the rest waits in
    its order."""
    requests = [b"%d" % number for number in range(7)]
    with opened(tmp_path) as spool:
        append(spool, *requests)
        seen = [cut(spool)]
        while len(seen[-1].requests) > 1:
            spool.shrink(seen[-1])
            seen.append(cut(spool))
        assert [len(batch.requests) for batch in seen] == [7, 3, 1]
        assert all(list(b.requests) == requests[: len(b.requests)] for b in seen)
        assert len({batch.name for batch in seen}) == 3
        spool.finish(seen[-1])
        assert drain(spool) == requests[1:]


def test_shrunk_after_a_gap(tmp_path: Path) -> None:
    """Requests that were finished before do not count as part of what is halved."""
    with opened(tmp_path) as spool:
        append(spool, b"a", b"b", b"c", b"d", b"e")
        spool.finish(cut(spool, max_bytes=101))
        spool.shrink(cut(spool))
        assert list(cut(spool).requests) == [b"b", b"c"]


def test_given_up_may_be_sent_again(tmp_path: Path) -> None:
    """What was given up is gone, and counts when it is sent again; what was finished
    does not."""
    with opened(tmp_path) as spool:
        append(spool, b"finished")
        spool.finish(cut(spool))
        append(spool, b"given up")
        spool.give_up(cut(spool))
        append(spool, b"finished", b"given up")
        assert drain(spool) == [b"given up"]


def test_waiting_counts_what_is_there(tmp_path: Path) -> None:
    """Number, bytes and the time of the oldest follow what is appended and finished,
    and are the same after opening again."""
    clock = Clock()
    with opened(tmp_path, clock=clock) as spool:
        append(spool, bytes(1000))
        size = spool.waiting().bytes
        assert 0 < size < 1000
        first = cut(spool)
        clock.now_s += 5
        append(spool, b"later")
        assert spool.waiting().oldest_s == START_S
        spool.finish(first)
        held = spool.waiting()
        assert (held.requests, held.oldest_s) == (1, START_S + 5)
    with opened(tmp_path) as spool:
        assert spool.waiting() == held
        drain(spool)
        assert spool.waiting() == Waiting(0, 0, None)


def test_counts_hold_while_both_sides_work(tmp_path: Path) -> None:
    """Appending and finishing at the same time, the counts end at nothing and what
    waits always has an age: else it would wait for ever."""
    with opened(tmp_path) as spool, ThreadPoolExecutor(1) as pool:
        requests = [b"%d" % number for number in range(500)]
        sending = pool.submit(append, spool, *requests)
        loaded: list[bytes] = []
        while not sending.done():
            loaded += drain(spool, max_bytes=400)
            held = spool.waiting()
            assert (held.oldest_s is None) == (held.requests == 0)
        sending.result()
        assert loaded + drain(spool) == requests
        assert spool.waiting() == Waiting(0, 0, None)


def due(spool: Spool, *, at_bytes: int = ALL, at_age_s: float = NEVER_S) -> bool:
    """Whether something is to be loaded now."""
    return spool.wait_for_load(at_bytes=at_bytes, at_age_s=at_age_s, timeout_s=0)


def test_due_by_size_or_by_age(tmp_path: Path) -> None:
    """Loading is due when enough waits, or when something has waited long enough."""
    clock = Clock()
    with opened(tmp_path, clock=clock) as spool:
        assert not due(spool, at_age_s=0)
        append(spool, b"request")
        assert not due(spool)
        assert due(spool, at_bytes=1)
        assert not due(spool, at_age_s=2)
        clock.now_s += 2
        assert due(spool, at_age_s=2)
        drain(spool)
        assert not due(spool, at_bytes=1, at_age_s=0)


def test_clock_that_is_set_back_holds_nothing_up(tmp_path: Path) -> None:
    """What was received "in the future" is due at once."""
    clock = Clock()
    with opened(tmp_path, clock=clock) as spool:
        append(spool, b"request")
        clock.now_s -= 86_400
        assert due(spool, at_age_s=2)


@contextmanager
def waiting_thread(spool: Spool) -> Iterator[list[bool]]:
    """A loader that waits for one byte, or until the spool is closed."""
    answers: list[bool] = []
    loader = threading.Thread(
        target=lambda: answers.append(
            spool.wait_for_load(at_bytes=1, at_age_s=NEVER_S, timeout_s=NEVER_S)
        )
    )
    loader.start()
    yield answers
    loader.join()


def test_request_wakes_the_loader(tmp_path: Path) -> None:
    """A loader that waits hears of the request that makes loading due."""
    with opened(tmp_path) as spool:
        with waiting_thread(spool) as answers:
            append(spool, b"request")
        assert answers == [True]


def test_close_wakes_the_loader(tmp_path: Path) -> None:
    """A loader that waits is let go when the spool closes."""
    with opened(tmp_path) as spool, waiting_thread(spool) as answers:
        spool.close()
    assert answers == [False]


def test_disk_is_given_back(tmp_path: Path) -> None:
    """A spool that was large gives its disk back as it is emptied, and its log does not
    grow without end."""
    chance = random.Random(2)
    with opened(tmp_path) as spool:
        append(spool, *(chance.randbytes(4 << 20) for _ in range(40)))
        drain(spool, max_bytes=16 << 20)
        append(spool, b"a commit more, for the checkpoint")
        with_log = sum(file.stat().st_size for file in tmp_path.iterdir())
    file_bytes = (tmp_path / "spool.sqlite").stat().st_size
    assert file_bytes < 66 << 20
    assert with_log < 140 << 20
