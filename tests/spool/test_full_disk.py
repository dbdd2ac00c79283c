"""A disk that is really full: nothing acknowledged is lost, and room is enough."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from farthing.collector.spool import Spool
from farthing.errors import Overloaded
from tests.spool.spooling import LIMITS, append, drain, opened

REQUEST_BYTES = 40_000
DISK_BYTES = 24 << 20
KEPT_FREE_BYTES = 4 << 20


class Disk(Protocol):
    """What can be filled up, and emptied again, around a spool."""

    folder: Path

    def fill(self, spool: Spool, /) -> None: ...

    def make_room(self, spool: Spool, /) -> None: ...


class Tmpfs:
    """A small file system; a file beside the spool fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, _spool: Spool, /) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def make_room(self, _spool: Spool, /) -> None:
        (self.folder / "ballast").unlink()


class PageLimit:
    """SQLite's own limit raises the same error where nothing can be mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, spool: Spool, /) -> None:
        connection = spool._file._storing
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    def make_room(self, spool: Spool, /) -> None:
        spool._file._storing.execute("PRAGMA max_page_count = 1000000").fetchone()


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """A tmpfs at `folder`, or False where mounting is not permitted."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(params=[Tmpfs, PageLimit])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param is PageLimit:
        yield PageLimit(tmp_path)
        return
    with mounted(tmp_path) as done:
        if not done:
            pytest.skip("mounting is not permitted here")
        yield Tmpfs(tmp_path)


def fill_up(spool: Spool, chance: random.Random) -> tuple[list[bytes], bytes]:
    """Append until refused: what was acknowledged, and what was not."""
    acknowledged: list[bytes] = []
    while True:
        request = chance.randbytes(REQUEST_BYTES)
        try:
            append(spool, request)
        except Overloaded:
            return acknowledged, request
        acknowledged.append(request)


def test_full_disk(disk: Disk) -> None:
    """On a full disk senders are told to retry, time and again; when there is room the
    spool takes their requests by itself, and all that was acknowledged is there, once,
    in its order."""
    chance = random.Random(3)
    with opened(disk.folder / "spool") as spool:
        append(spool, b"before")
        disk.fill(spool)
        acknowledged, refused = fill_up(spool, chance)
        for _ in range(3):
            with pytest.raises(Overloaded, match="full"):
                append(spool, refused)
        disk.make_room(spool)
        append(spool, refused)
        assert drain(spool) == [b"before", *acknowledged, refused]


def test_full_disk_and_a_restart(disk: Disk) -> None:
    """What was acknowledged before the disk was full is there after a restart."""
    chance = random.Random(4)
    with opened(disk.folder / "spool") as spool:
        append(spool, b"before")
        disk.fill(spool)
        acknowledged, _ = fill_up(spool, chance)
        disk.make_room(spool)
    with opened(disk.folder / "spool") as spool:
        assert drain(spool) == [b"before", *acknowledged]


def test_full_of_what_waits(disk: Disk) -> None:
    """A disk that is full of what waits has room again once that is loaded: what is
    kept free is enough to do so."""
    chance = random.Random(5)
    limits = replace(LIMITS, min_free_bytes=KEPT_FREE_BYTES)
    with opened(disk.folder / "spool", limits=limits) as spool:
        append(spool, *(chance.randbytes(REQUEST_BYTES) for _ in range(20)))
        if isinstance(disk, PageLimit):
            disk.fill(spool)
        _, refused = fill_up(spool, chance)
        drain(spool, max_bytes=REQUEST_BYTES)
        append(spool, refused)
        assert drain(spool) == [refused]
