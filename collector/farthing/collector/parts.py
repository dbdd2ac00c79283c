"""Each part of the collector, made from the settings."""

from __future__ import annotations

import gc
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from farthing.alerts.budgets import Budget
from farthing.collector import presence
from farthing.collector.alerting import DEAD_LETTERS, Alerting
from farthing.collector.config import Settings, cache_folder, host_port, shown
from farthing.collector.load import Loader, LoadSettings
from farthing.collector.price_sources import PriceSources
from farthing.collector.price_watch import PriceWatch
from farthing.collector.receive.http_server import listen, serve_http
from farthing.collector.receive.settings import (
    Limits,
    ReceiveSettings,
    Tls,
    check_binding,
)
from farthing.collector.reprice import Journal, resume
from farthing.collector.settle import Settler
from farthing.collector.spool import Limits as SpoolLimits
from farthing.collector.spool import Spool
from farthing.collector.store.client import Address, Refused, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.waiting import FILE, Waiting
from farthing.collector.watch.watcher import Watcher
from farthing.collector.watch.watching import Watching, attempt
from farthing.collector.web.clickhouse import clickhouse_app
from farthing.collector.web.clickhouse_engine import Engine
from farthing.collector.web.page.app import Page
from farthing.collector.web.site import site
from farthing.economics.prices.catalogue import Catalogue
from farthing.errors import ConfigError, StoreUnavailable

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 10.0
_GARBAGE_AT: Final = 100_000


def collect_garbage_rarely() -> None:
    """Once all parts are made: they live as long as the process, and what comes and
    goes with requests and batches has no cycles to be looked for after every 700
    objects. That would take a third of the time of watching."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AT)


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
    with closing_ledger(settings) as ledger:
        bring_up_to_date(ledger, settings)
        yield ledger


@contextmanager
def closing_ledger(settings: Settings) -> Iterator[Ledger]:
    """The ledger that the settings name, as it is; closed at the end."""
    store = Store(Address.parse(settings.store_url))
    try:
        yield Ledger(store, price_catalogue(settings), cluster=settings.cluster)
    finally:
        store.close()


def bring_up_to_date(ledger: Ledger, settings: Settings) -> None:
    """Schema, retention, price book, and what an interrupted re-pricing left to write.

    Raises ConfigError, StoreUnavailable.
    """
    try:
        ledger.open(
            retention_days=settings.retention_days,
            runs_retention_days=settings.runs_retention_days,
            spend_retention_days=settings.spend_retention_days,
        )
        resume(ledger.store, Journal(settings.data_dir / "reprice"))
    except Refused as error:
        raise ConfigError(
            f"the ledger at {ledger.store.address} cannot be brought up to date:"
            f" {error}"
        ) from error


def try_to_open(ledger: Ledger, settings: Settings) -> bool:
    """A server that is away at start is asked again later, while the spool fills."""
    try:
        bring_up_to_date(ledger, settings)
    except StoreUnavailable as error:
        if ledger.store.embedded:
            raise
        log.warning("%s; what arrives waits in the spool", error)
        return False
    return True


def price_catalogue(settings: Settings) -> Catalogue:
    """The price book of the settings, the operator's own file on top."""
    return PriceSources.of(settings).read()


@contextmanager
def open_spool(settings: Settings) -> Iterator[Spool]:
    limits = SpoolLimits(
        max_bytes=settings.spool_max_bytes, min_free_bytes=settings.min_free_bytes
    )
    spool = Spool(settings.data_dir / "spool", limits=limits)
    try:
        yield spool
    finally:
        spool.close()


@contextmanager
def running_loader(
    settings: Settings,
    spool: Spool,
    ledger: Ledger,
    registry: CollectorRegistry,
    *,
    prices: PriceWatch,
    is_open: bool,
    watching: Watching,
    alerting: Alerting,
) -> Iterator[Loader]:
    settler = Settler(ledger.store, ledger.catalogue)
    loader = Loader(
        spool,
        ledger,
        settings=LoadSettings(settings.load_at_bytes, settings.load_at_age_s),
        dead_letters=settings.data_dir / DEAD_LETTERS,
        registry=registry,
        prepare=None if is_open else partial(bring_up_to_date, ledger, settings),
        before_load=partial(_follow, prices, ledger, settler),
        after_load=partial(_follow_up, settler, watching, alerting),
    )
    loader.start()
    try:
        yield loader
    finally:
        loader.stop()


@contextmanager
def running_watch(
    settings: Settings,
    ledger: Ledger,
    registry: CollectorRegistry,
    *,
    alerting: Alerting,
) -> Iterator[Watching]:
    """The watch; what it finds is a reason to evaluate alerts."""
    waiting = Waiting(settings.data_dir / FILE)
    watching = Watching(
        waiting,
        Watcher(ledger.store, registry=registry),
        registry=registry,
        watched=alerting.poke,
    )
    watching.start()
    try:
        yield watching
    finally:
        watching.stop()
        waiting.close()


def _follow_up(
    settle: Settler, watching: Watching, alerting: Alerting, batch_name: str
) -> None:
    """What follows a load: each call is counted once. Then runs that make no progress
    are looked for and alerts evaluated, by threads of their own."""
    settle(batch_name)
    watching.add(batch_name)
    alerting.poke()


def followed_up(ledger: Ledger) -> Callable[[str], None]:
    """What follows a load where no collector runs: the same, without alerts."""
    settle = Settler(ledger.store, ledger.catalogue)
    watch = Watcher(ledger.store)

    def follow_up(batch_name: str) -> None:
        settle(batch_name)
        attempt(watch, batch_name)

    return follow_up


def _follow(prices: PriceWatch, ledger: Ledger, settler: Settler) -> None:
    """Price what comes next by the price book that was read last."""
    newer = prices.newer()
    if newer is not None:
        ledger.use_prices(newer)
        settler.use_prices(newer)
        prices.took(newer)


@dataclass(frozen=True, slots=True)
class WebListener:
    """Where the page will be served: `url` is known before it is, also with port 0,
    so that alerts can link there."""

    listener: socket.socket
    url: str


@contextmanager
def web_listener(settings: Settings) -> Iterator[WebListener]:
    """The socket of the page. Raises ConfigError."""
    host, port = host_port(settings.web_listen)
    check_binding(host, settings.token_text)
    scheme = "https" if settings.tls_cert else "http"
    with listen(host, port, option="web_listen") as listener:
        bound = listener.getsockname()[1]
        yield WebListener(listener, f"{scheme}://{shown(host)}:{bound}")


@asynccontextmanager
async def web_endpoint(
    settings: Settings,
    ledger: Ledger,
    web: WebListener,
    *,
    otlp_url: str,
    budgets: Callable[[], Iterable[Budget]],
) -> AsyncIterator[None]:
    """Serve the page, and questions to the embedded ledger."""
    limits, tls = Limits(), _tls(settings)
    with _site(settings, ledger, otlp_url, budgets) as app:
        async with serve_http(app, web.listener, limits=limits, tls=tls):
            yield


@contextmanager
def _site(
    settings: Settings,
    ledger: Ledger,
    otlp_url: str,
    budgets: Callable[[], Iterable[Budget]],
) -> Iterator[ASGIApp]:
    store, token = ledger.store, settings.token_text
    with ExitStack() as stack:
        page = Page(
            Store(store.address, writes=False),
            token=token,
            otlp_url=otlp_url,
            catalogue=lambda: ledger.catalogue,
            budgets=budgets,
            cache=cache_folder(),
        )
        stack.callback(page.close)
        page.make_ahead()
        clickhouse = None
        if store.embedded:
            engine = Engine(str(store.address.path))
            stack.callback(engine.close)
            clickhouse = clickhouse_app(engine, database=store.database, token=token)
        yield site(page.app(), clickhouse)


def receive_settings(settings: Settings) -> ReceiveSettings:
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
