"""`farthing demo`: a fleet of agents, received, priced and reported."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from farthing.cli import show
from farthing.cli.report import print_report
from farthing.cli.up import announce
from farthing.collector.app import Collector, collector
from farthing.collector.config import Settings, load_settings
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.replay.send import send
from farthing.collector.report.runs import Run, run, runs
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store

_DAYS = 7


@click.command()
@click.option("--once", is_flag=True, help="End after the report.")
@click.option(
    "--runs", "run_count", default=1500, show_default=True, help="Size of the fleet."
)
def command(run_count: int, *, once: bool) -> None:
    """Show what Farthing does, with a made-up fleet of agents.

    Starts a collector on a ledger in a temporary folder, sends it a week of agent runs
    as OTLP over the wire, prints the report and stays up until Ctrl-C.
    """
    with tempfile.TemporaryDirectory(prefix="farthing-demo-") as folder:
        asyncio.run(_demo(_settings(Path(folder), once=once), run_count, once=once))


def _settings(folder: Path, *, once: bool) -> Settings:
    """An embedded ledger in `folder`; the usual ports where they are free."""
    return load_settings(
        data_dir=folder,
        store=f"chdb://{folder / 'ledger'}",
        cluster="",
        http_listen=_address(0 if once else 4318),
        grpc_listen=_address(0 if once else 4317),
        web_listen=_address(0 if once else 4319),
    )


def _address(port: int) -> str:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return f"127.0.0.1:{port}"
    return "127.0.0.1:0"


async def _demo(settings: Settings, run_count: int, *, once: bool) -> None:
    show.line("Starting a collector on an empty ledger in a temporary folder …")
    async with collector(settings) as running:
        announce(running.addresses)
        show.line()
        await asyncio.to_thread(_play, running, settings, run_count)
        if not once:
            show.line()
            show.line("The collector stays up: send it your own agent. Ctrl-C ends it.")
            await _until_stopped()


def _play(running: Collector, settings: Settings, run_count: int) -> None:
    now = datetime.now(UTC)
    with show.progress(f"sending {run_count:,} agent runs over OTLP") as update:
        requests = (r.SerializeToString() for r in fleet(now, runs=run_count))
        send(
            requests,
            running.addresses.http_url,
            token=settings.token_text,
            progress=lambda done: update(done.spans, unit="spans"),
        )
    with show.progress("pricing") as update:
        while left := running.spool.waiting().requests:
            update(left, unit="requests left")
            time.sleep(0.05)
    _report(running.ledger.store, now)


def _report(store: Store, now: datetime) -> None:
    since = now - timedelta(days=_DAYS)
    for by in ("task_type", "business_unit", "model"):
        print_report(spend(store, by=by, since=since, now=now))
        show.line()
    loop, _ = run(store, LOOP_RUN_ID)
    runaway, _ = run(store, RUNAWAY_RUN_ID)
    show.line(
        f"A run that loops: {loop.run_id}, {loop.tool_calls} tool calls of which"
        f" {loop.errors} failed, {show.money(loop.cost_usd)}."
    )
    show.line(
        f"A run that cost {_times_median(store, runaway, since)}:"
        f" {runaway.run_id}, {show.money(runaway.cost_usd)}."
    )
    show.line(f"Look at one: farthing run show {runaway.run_id}")


def _times_median(store: Store, found: Run, since: datetime) -> str:
    """How far a run is above the median of its kind, in words."""
    kind = found.task_type
    alike = runs(store, since=since, order="cost", task_type=kind, limit=100_000)
    costs = sorted(other.cost_usd for other in alike if other.run_id != found.run_id)
    if not costs or not costs[len(costs) // 2]:
        return f"more than others of {kind}"
    times = found.cost_usd / costs[len(costs) // 2]
    return f"{times:.1f} times the median of {kind}"


async def _until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
