"""A price book that is read anew while the collector runs.

A file that changes is read once it has come to rest, or at once when asked for. What
cannot be read changes nothing: the prices in force stay, and the reason is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from farthing.collector.price_sources import PriceSources
from farthing.economics.prices.catalogue import Catalogue
from farthing.errors import ConfigError

log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 2.0
_SHOWN_OF_HASH: Final = 12

_Signature = tuple[tuple[int, int, int] | None, ...]


class PriceWatch:
    """Watches the files of a price book.

    `look` is called again and again, on one thread; `newer` by whoever prices, on
    another. Attributes:
        problem: Why what the files hold now is not in force, or None.
    """

    def __init__(
        self,
        sources: PriceSources,
        in_force: Catalogue,
        *,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._sources = sources
        self._offered = in_force
        self._in_force = in_force
        self._read_as = self._seen_as = _signature(sources.files)
        self._asked = asyncio.Event()
        self.problem: str | None = None
        if registry is not None:
            gauge = Gauge(
                "farthing_prices_broken",
                "1 while the files of the price book cannot be read",
                registry=registry,
            )
            gauge.set_function(lambda: self.problem is not None)

    def look(self, *, at_once: bool = False) -> None:
        """Read the files if they have changed and come to rest, or `at_once`."""
        now = _signature(self._sources.files)
        is_at_rest, self._seen_as = now == self._seen_as, now
        if at_once or (is_at_rest and now != self._read_as):
            self._read_as = now
            self._read()

    def newer(self) -> Catalogue | None:
        """The price book that was read since the last one was taken; None if none."""
        offered = self._offered
        return None if offered.sha256 == self._in_force.sha256 else offered

    def took(self, catalogue: Catalogue) -> None:
        """Tell that calls are priced by it from now on."""
        self._in_force = catalogue
        log.info("prices are those of book %s", catalogue.sha256[:_SHOWN_OF_HASH])

    def ask(self) -> None:
        """Look at once; to be called on the event loop, such as by a signal."""
        self._asked.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look every two seconds, and when asked, for the length of the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _LOOK_EVERY_S)
            at_once = self._asked.is_set()
            self._asked.clear()
            await asyncio.to_thread(self.look, at_once=at_once)

    def _read(self) -> None:
        try:
            self._offered = self._sources.read()
        except ConfigError as error:
            self.problem = str(error)
            log.error("the prices in force stay: %s", error)
        else:
            self.problem = None


def _signature(files: tuple[Path, ...]) -> _Signature:
    """What changes when a file is written, replaced or removed."""
    return tuple(map(_of_file, files))


def _of_file(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
