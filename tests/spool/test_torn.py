"""A write that stops at any byte, as a machine that lost its power leaves it."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from tests.spool.spooling import append, drain, opened

REQUESTS = [random.Random(number).randbytes(3_000 * number + 1) for number in range(8)]
CUTS = 50
WAL = "spool.sqlite-wal"


def test_torn_write(tmp_path: Path) -> None:
    """Wherever the log ends, or is garbage from there on, just those requests are
    loaded whose commit is before it, each whole; and more are taken after them."""
    logged = written_requests(tmp_path / "whole")
    chance = random.Random(3)
    for number in range(CUTS):
        torn_at = chance.randrange(logged[-1] + 1)
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "whole", folder)
        tear(folder / WAL, torn_at, chance)
        committed = [
            r for r, end in zip(REQUESTS, logged, strict=True) if end <= torn_at
        ]
        with opened(folder) as spool:
            assert drain(spool) == committed
            append(spool, b"one more")
            assert drain(spool) == [b"one more"]
        shutil.rmtree(folder)


def written_requests(folder: Path) -> list[int]:
    """Make a spool as a crash leaves it; how long its log is after each request."""
    logged = []
    with opened(folder.with_name("open")) as spool:
        for request in REQUESTS:
            append(spool, request)
            logged.append((folder.with_name("open") / WAL).stat().st_size)
        shutil.copytree(folder.with_name("open"), folder)
    assert len(set(logged)) == len(REQUESTS)
    return logged


def tear(log: Path, torn_at: int, chance: random.Random) -> None:
    """Cut the log off there, or let something else stand from there on."""
    content = log.read_bytes()
    rest = len(content) - torn_at
    log.write_bytes(content[:torn_at] + chance.choice([b"", chance.randbytes(rest)]))
