"""What is done to a collector under load: `kill -9`, alone and in the midst of worse.

A scene lasts as long as its block, on one data folder; each round of it calls
`trouble`, after which the collector runs again and all that was wrong is right.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.process import Collector
from tests.clickhouse_server import ClickHouseServer, clickhouse_server

AWAY_S: Final = 60.0
_LOADED_S: Final = (0.1, 1.5)  # how long something goes on before the next blow
_DISK_BYTES: Final = 768 << 20
_KEPT_FREE_BYTES: Final = 64 << 20
_PAGE_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Scene:
    """A running collector, and what is done to it; `trouble` says what it saw."""

    collector: Collector
    trouble: Callable[[random.Random], str]


class CannotMount(Exception):
    """A disk that can be filled needs the right to mount one."""


@contextmanager
def killed(folder: Path) -> Iterator[Scene]:
    """`kill -9` at a random moment; the ledger is embedded."""
    with _running(Collector(folder / "data")) as collector:

        def trouble(chance: random.Random) -> str:
            _a_while(chance)
            collector.kill()
            collector.start()
            return ""

        yield Scene(collector, trouble)


@contextmanager
def store_away(folder: Path, *, away_s: float = AWAY_S) -> Iterator[Scene]:
    """The ClickHouse server is killed and stays away for `away_s`. The collector is
    killed while the spool fills, then both while it is emptied."""
    with clickhouse_server(folder / "server", writable=True) as server:
        collector = Collector(
            folder / "data",
            environment={
                "FARTHING_STORE": f"clickhouse://127.0.0.1:{server.port}/default"
            },
            ledger_port=server.port,
        )
        with _running(collector):
            yield Scene(collector, lambda c: _without(server, collector, away_s, c))


def _without(
    server: ClickHouseServer,
    collector: Collector,
    away_s: float,
    chance: random.Random,
) -> str:
    _a_while(chance)
    server.kill()
    back_s = time.monotonic() + away_s
    time.sleep(chance.uniform(0, away_s))
    collector.kill()
    collector.start(until="/healthz")
    time.sleep(max(0.0, back_s - time.monotonic()))
    waited = collector.metric("farthing_spool_requests")
    server.start()
    _a_while(chance)
    server.kill()
    server.start()
    _a_while(chance)
    collector.kill()
    collector.start()
    return f"{waited:,.0f} requests waited"


@contextmanager
def full_disk(folder: Path) -> Iterator[Scene]:
    """The disk of spool and ledger fills up, wholly or to what is kept free; the
    collector is killed and started on it, then there is room again.

    Raises CannotMount.
    """
    data = folder / "data"
    data.mkdir()
    with disk(data, size_bytes=_DISK_BYTES):
        kept = {"FARTHING_MIN_FREE_BYTES": str(_KEPT_FREE_BYTES)}
        with _running(Collector(data, environment=kept)) as collector:
            yield Scene(collector, lambda chance: _filled(collector, chance))


def _filled(collector: Collector, chance: random.Random) -> str:
    _a_while(chance)
    left_bytes = chance.choice((0, _KEPT_FREE_BYTES // 2))
    fill(collector.data, left_bytes=left_bytes)
    _a_while(chance)
    collector.kill()
    with suppress(RuntimeError):  # it may find too little room to start
        collector.start(until="/healthz")
    _a_while(chance)
    make_room(collector.data)
    try:
        collector.wait_until("/readyz")
    except RuntimeError:  # it ended: what starts services does so again
        collector.start()
        return f"{left_bytes >> 20} MiB left, too little to start"
    return f"{left_bytes >> 20} MiB left"


@contextmanager
def disk(folder: Path, *, size_bytes: int) -> Iterator[None]:
    """A file system of its own at `folder`. Raises CannotMount."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise CannotMount(f"{folder}: nothing can be mounted here") from error
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, *, left_bytes: int) -> None:
    """Fill the disk of `folder` up, as another program would, but for `left_bytes`."""
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        try:
            while shutil.disk_usage(folder).free > left_bytes:
                ballast.write(bytes(_PAGE_BYTES))
        except OSError:
            return


def make_room(folder: Path) -> None:
    """Undo `fill`."""
    (folder / "ballast").unlink()


@contextmanager
def _running(collector: Collector) -> Iterator[Collector]:
    collector.start()
    try:
        yield collector
    finally:
        collector.kill()


def _a_while(chance: random.Random) -> None:
    time.sleep(chance.uniform(*_LOADED_S))


SCENES: Final[Mapping[str, Callable[[Path], AbstractContextManager[Scene]]]] = {
    "killed": killed,
    "store-away": store_away,
    "full-disk": full_disk,
}
"""By the names of the command line."""
