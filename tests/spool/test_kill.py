"""`kill -9` at random moments: what was acknowledged is loaded, whole, once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from farthing.collector.spool import Spool
from tests.spool.worker import LIMITS, is_refused, number_of

ROUNDS = 10
PER_ROUND = 10_000_000  # numbers of requests that a round may use


class Books:
    """What was told to senders, and what a ledger has that knows batches by name."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        self.loaded: dict[str, list[int]] = {}

    def load(self, name: str, numbers: list[int]) -> None:
        """A name is known once: with it, always the same requests."""
        assert self.loaded.setdefault(name, numbers) == numbers

    def read(self, line: str) -> None:
        match line.split():
            case ["ack", number]:
                self.acknowledged.add(int(number))
            case ["load", name, *numbers]:
                self.load(name, [int(number) for number in numbers])

    def counted(self) -> list[int]:
        return [number for numbers in self.loaded.values() for number in numbers]


def work_and_kill(folder: Path, first: int, lines: int) -> list[str]:
    """Let a worker say so many lines, then kill it; all that it said."""
    worker = [sys.executable, "-m", "tests.spool.worker", str(folder), str(first)]
    with subprocess.Popen(worker, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    assert all(line.endswith("\n") for line in said)
    return said


def test_kill(tmp_path: Path) -> None:
    """Over rounds of kill -9 on one folder, every acknowledged request is loaded, whole
    and once; a batch that is loaded again has its name and its requests."""
    chance = random.Random(6)
    books = Books()
    for number in range(ROUNDS):
        lines = chance.choice([1, 5, 50, 500, 2000])
        for line in work_and_kill(tmp_path, number * PER_ROUND, lines):
            books.read(line)
        if chance.random() < 0.5:
            load_one_unfinished(tmp_path, books)
    drain_into(tmp_path, books)
    counted = books.counted()
    assert len(counted) == len(set(counted))
    assert books.acknowledged <= set(counted)
    assert len(books.acknowledged) > ROUNDS


def load_one_unfinished(folder: Path, books: Books) -> None:
    """Load the next batch, and end before it is finished."""
    spool = Spool(folder, limits=LIMITS)
    batch = spool.next_batch(max_bytes=1 << 20)
    if batch is not None and not is_refused(batch):
        books.load(batch.name, [number_of(body) for body in batch.requests])
    spool.close()


def drain_into(folder: Path, books: Books) -> None:
    spool = Spool(folder, limits=LIMITS)
    while batch := spool.next_batch(max_bytes=1 << 20):
        books.load(batch.name, [number_of(body) for body in batch.requests])
        spool.finish(batch)
    spool.close()
