"""The collector, assembled: receive ▶ spool ▶ load ▶ ledger, and the way to ask.

This is the main path on one screen; each part's own module says how it works.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass

import uvloop
from prometheus_client import CollectorRegistry

from farthing.alerts.budgets import Budget
from farthing.alerts.channel import Clock, utc_now
from farthing.collector import parts, presence
from farthing.collector.alerting import running_alerting
from farthing.collector.config import Settings, shown
from farthing.collector.pictures import RunPictures
from farthing.collector.price_sources import PriceSources
from farthing.collector.price_watch import PriceWatch
from farthing.collector.receive.serve import Endpoints, serve
from farthing.collector.receive.settings import ReceiveSettings
from farthing.collector.spool import Spool
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.watching import Watching
from farthing.economics import leases

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a collector is reached. `web_url` is the page's; it takes questions in SQL
    too where the ledger is `embedded`."""

    http_url: str
    grpc_address: str
    web_url: str
    store: str
    embedded: bool


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector, for those who run it inside their own process."""

    addresses: Addresses
    spool: Spool
    ledger: Ledger
    prices: PriceWatch
    watching: Watching


Started = Callable[[Addresses], None]


def up(settings: Settings, *, started: Started) -> None:
    """Run the collector until SIGINT or SIGTERM; `started` is called when it is ready.

    SIGHUP makes it read its prices anew.

    Raises ConfigError for what the operator must change, StoreUnavailable for a store
    that does not answer at start.
    """
    uvloop.run(_up(settings, started))


async def _up(settings: Settings, started: Started) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with collector(settings) as running:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, running.prices.ask)
        parts.collect_garbage_rarely()
        started(running.addresses)
        await stop.wait()
        log.info("stopping: what waits stays in the spool")


@asynccontextmanager
async def collector(
    settings: Settings, *, clock: Clock = utc_now
) -> AsyncIterator[Collector]:
    """A running collector for the length of the block; `clock` is what its alerts go
    by."""
    receive = parts.receive_settings(settings)
    registry = CollectorRegistry()
    async with AsyncExitStack() as stack:
        enter = stack.enter_context
        file = enter(parts.own_data_folder(settings.data_dir))
        web = enter(parts.web_listener(settings))
        ledger = enter(parts.closing_ledger(settings))
        is_open = parts.try_to_open(ledger, settings)
        spool = enter(parts.open_spool(settings))
        alerting = enter(
            running_alerting(
                *(settings, ledger.store, registry),
                clock=clock,
                draw=RunPictures(ledger.store),
                page_url=web.url,
            )
        )
        prices = PriceWatch(
            PriceSources.of(settings), ledger.catalogue, registry=registry
        )
        watching = enter(
            parts.running_watch(settings, ledger, registry, alerting=alerting)
        )
        loader = enter(
            parts.running_loader(
                *(settings, spool, ledger, registry),
                prices=prices,
                is_open=is_open,
                watching=watching,
                alerting=alerting,
            )
        )
        await stack.enter_async_context(prices.running())
        receiving = serve(
            receive,
            spool,
            registry=registry,
            why_not_ready=lambda: spool.why_full() or loader.problem,
            documents={leases.PATH: alerting.budgets.document},
            answers={leases.PATH: alerting.budgets.shared.answer},
        )
        addresses = await stack.enter_async_context(
            _reached(
                *(receiving, receive),
                settings=settings,
                ledger=ledger,
                web=web,
                budgets=alerting.declared.budgets,
            )
        )
        web_url = addresses.web_url if addresses.embedded else None
        presence.announce(file, addresses.http_url, web_url)
        yield Collector(addresses, spool, ledger, prices, watching)


@asynccontextmanager
async def _reached(
    receiving: AbstractAsyncContextManager[Endpoints],
    receive: ReceiveSettings,
    *,
    settings: Settings,
    ledger: Ledger,
    web: parts.WebListener,
    budgets: Callable[[], Iterable[Budget]],
) -> AsyncIterator[Addresses]:
    """Open the ports: for spans, then for the page and questions."""
    async with receiving as endpoints:
        scheme = "https" if receive.tls else "http"
        http_url = f"{scheme}://{shown(receive.http_host)}:{endpoints.http_port}"
        page = parts.web_endpoint(
            settings, ledger, web, otlp_url=http_url, budgets=budgets
        )
        async with page:
            yield Addresses(
                http_url=http_url,
                grpc_address=f"{shown(receive.grpc_host)}:{endpoints.grpc_port}",
                web_url=web.url,
                store=str(ledger.store.address),
                embedded=ledger.store.embedded,
            )
