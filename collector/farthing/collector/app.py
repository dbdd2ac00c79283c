"""The collector, assembled: receive ▶ spool ▶ load ▶ ledger, and the way to ask.

This is the main path on one screen; each part's own module says how it works.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import uvloop
from prometheus_client import CollectorRegistry

from farthing.collector import presence
from farthing.collector.config import Settings, host_port
from farthing.collector.load import Loader, LoadSettings
from farthing.collector.pricebook import load_user_prices
from farthing.collector.receive.http_server import listen, serve_http
from farthing.collector.receive.serve import serve
from farthing.collector.receive.settings import (
    Limits,
    ReceiveSettings,
    Tls,
    check_binding,
)
from farthing.collector.spool import Limits as SpoolLimits
from farthing.collector.spool import Spool
from farthing.collector.store.client import Address, Refused, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.web.clickhouse import clickhouse_app
from farthing.collector.web.clickhouse_engine import Engine
from farthing.economics.prices.catalogue import Catalogue, load_catalogue
from farthing.errors import ConfigError

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a collector is reached; `web_url` is None with a ledger elsewhere."""

    http_url: str
    grpc_address: str
    web_url: str | None
    store: str


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector, for those who run it inside their own process."""

    addresses: Addresses
    spool: Spool
    ledger: Ledger


Started = Callable[[Addresses], None]


def up(settings: Settings, *, started: Started) -> None:
    """Run the collector until SIGINT or SIGTERM; `started` is called when it is ready.

    Raises ConfigError for what the operator must change, StoreUnavailable for a store
    that does not answer at start.
    """
    uvloop.run(_up(settings, started))


async def _up(settings: Settings, started: Started) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with collector(settings) as running:
        started(running.addresses)
        await stop.wait()
        log.info("stopping: what waits stays in the spool")


@asynccontextmanager
async def collector(settings: Settings) -> AsyncIterator[Collector]:
    """A running collector for the length of the block."""
    receive = _receive_settings(settings)
    registry = CollectorRegistry()
    async with AsyncExitStack() as stack:
        file = stack.enter_context(own_data_folder(settings.data_dir))
        ledger = stack.enter_context(open_ledger(settings))
        spool = stack.enter_context(_spool(settings))
        loader = stack.enter_context(_loader(settings, spool, ledger, registry))
        web_url = None
        if ledger.store.embedded:
            web_url = await stack.enter_async_context(_web(settings, ledger.store))
        endpoints = await stack.enter_async_context(
            serve(
                receive,
                spool,
                registry=registry,
                why_not_ready=lambda: loader.problem,
            )
        )
        scheme = "https" if receive.tls else "http"
        addresses = Addresses(
            http_url=f"{scheme}://{_shown(receive.http_host)}:{endpoints.http_port}",
            grpc_address=f"{_shown(receive.grpc_host)}:{endpoints.grpc_port}",
            web_url=web_url,
            store=str(ledger.store.address),
        )
        presence.announce(file, addresses.http_url, web_url)
        yield Collector(addresses, spool, ledger)


@contextmanager
def own_data_folder(data_dir: Path) -> Iterator[IO[str]]:
    """Own a data folder as `presence.owned` does, after a command that reads from it
    has ended: such a one holds it for a moment.

    Raises ConfigError at once where a collector runs on it.
    """
    deadline_s = time.monotonic() + _PATIENCE_S
    with ExitStack() as stack:
        while True:
            try:
                file = stack.enter_context(presence.owned(data_dir))
                break
            except ConfigError:
                if presence.find(data_dir) or time.monotonic() > deadline_s:
                    raise
            time.sleep(0.1)
        yield file


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """The ledger that the settings name, its schema and price book up to date."""
    store = Store(Address.parse(settings.store_url))
    try:
        ledger = Ledger(store, price_catalogue(settings), cluster=settings.cluster)
        try:
            ledger.open(retention_days=settings.retention_days)
        except Refused as error:
            raise ConfigError(
                f"the ledger at {store.address} cannot be brought up to date: {error}"
            ) from error
        yield ledger
    finally:
        store.close()


def price_catalogue(settings: Settings) -> Catalogue:
    """The packaged price book, the operator's own file on top."""
    catalogue = load_catalogue()
    if settings.prices_file is None:
        return catalogue
    return load_user_prices(settings.prices_file, catalogue)


@contextmanager
def _spool(settings: Settings) -> Iterator[Spool]:
    limits = SpoolLimits(
        max_bytes=settings.spool_max_bytes, min_free_bytes=settings.min_free_bytes
    )
    spool = Spool(settings.data_dir / "spool", limits=limits)
    try:
        yield spool
    finally:
        spool.close()


@contextmanager
def _loader(
    settings: Settings, spool: Spool, ledger: Ledger, registry: CollectorRegistry
) -> Iterator[Loader]:
    loader = Loader(
        spool,
        ledger,
        settings=LoadSettings(settings.load_at_bytes, settings.load_at_age_s),
        dead_letters=settings.data_dir / "dead-letters",
        registry=registry,
    )
    loader.start()
    try:
        yield loader
    finally:
        loader.stop()


@asynccontextmanager
async def _web(settings: Settings, store: Store) -> AsyncIterator[str]:
    """Serve questions to the embedded ledger; yields the URL to ask."""
    host, port = host_port(settings.web_listen)
    check_binding(host, settings.token_text)
    engine = Engine(str(store.address.path))
    app = clickhouse_app(engine, database=store.database, token=settings.token_text)
    tls = _tls(settings)
    try:
        with listen(host, port, option="web_listen") as listener:
            bound = listener.getsockname()[1]
            async with serve_http(app, listener, limits=Limits(), tls=tls):
                yield f"{'https' if tls else 'http'}://{_shown(host)}:{bound}"
    finally:
        engine.close()


def _receive_settings(settings: Settings) -> ReceiveSettings:
    http, grpc = host_port(settings.http_listen), host_port(settings.grpc_listen)
    largest = settings.max_request_bytes
    return ReceiveSettings(
        http_host=http.host,
        http_port=http.port,
        grpc_host=grpc.host,
        grpc_port=grpc.port,
        token=settings.token_text,
        tls=_tls(settings),
        limits=Limits(
            max_bytes=largest,
            max_compressed_bytes=largest,
            max_in_flight_bytes=max(largest, Limits.max_in_flight_bytes),
        ),
    )


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Tls(settings.tls_cert, settings.tls_key)


def _shown(host: str) -> str:
    """A host as it stands in a URL; one that means every address is this machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - shown, not bound
        host = "127.0.0.1"
    return f"[{host}]" if ":" in host else host
