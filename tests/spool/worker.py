"""A collector's use of the spool, to be killed: senders, and a loader that sometimes
shrinks a batch.

It writes what happened to its output, each line when it is true: `ack N` after request
N was acknowledged; `load NAME N N …` before a batch is finished, when a ledger would
have it.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
from pathlib import Path

from farthing.collector.spool import Batch, Limits, Spool

SENDERS = 8
LIMITS = Limits(min_free_bytes=0)


def request(number: int) -> bytes:
    """Request `number`: its bytes are the same in each process."""
    size = random.Random(number).choice([0, 300, 30_000])
    return b"%d:" % number + random.Random(number).randbytes(size)


def number_of(body: bytes) -> int:
    """Which request this is; it must be whole."""
    number = int(body.partition(b":")[0])
    assert body == request(number)
    return number


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def is_refused(batch: Batch) -> bool:
    """Whether the ledger refuses a batch: the same one always, or it never has it."""
    return len(batch.requests) > 1 and batch.name[-1] in "abcde"


def load(spool: Spool) -> None:
    while True:
        spool.wait_for_load(at_bytes=50_000, at_age_s=0.01, timeout_s=1)
        batch = spool.next_batch(max_bytes=200_000)
        if batch is None:
            continue
        if is_refused(batch):
            spool.shrink(batch)
            continue
        say("load", batch.name, *map(number_of, batch.requests))
        spool.finish(batch)


async def send(spool: Spool, first: int) -> None:
    """Each request twice, as an exporter does that heard no answer."""
    number = first
    while True:
        await spool.append(request(number))
        say("ack", number)
        await spool.append(request(number))
        number += SENDERS


async def _work(folder: Path, first: int) -> None:
    spool = Spool(folder, limits=LIMITS)
    loader = threading.Thread(target=load, args=(spool,))
    loader.start()
    say("up")
    await asyncio.gather(*(send(spool, first + one) for one in range(SENDERS)))


if __name__ == "__main__":
    asyncio.run(_work(Path(sys.argv[1]), int(sys.argv[2])))
