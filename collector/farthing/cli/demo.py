"""`farthing demo`: a fleet of agents, received, priced and reported."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from farthing.cli import INTERRUPTED, show
from farthing.cli.demo_alerts import (
    DemoClock,
    end_alerts,
    show_alerts,
    watch_alerts,
)
from farthing.cli.report import in_folder, print_report
from farthing.cli.run_show import described
from farthing.cli.up import announce
from farthing.collector.app import Collector, collector
from farthing.collector.config import Settings, host_port, ledger_url, load_settings
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.demo.real_agent import TASK_TYPE, Ran, can_run, run_agent
from farthing.collector.demo.workplace import Workplace, workplace
from farthing.collector.replay.send import send
from farthing.collector.report.findings import findings
from farthing.collector.report.runs import Run, run
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.collector.web.page.asking import asked
from farthing.dashboards.macros import View

_DAYS = 7
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LISTENERS = ("http_listen", "grpc_listen", "web_listen")


@click.command()
@click.option("--once", is_flag=True, help="End after the report.")
@click.option(
    "--runs",
    "run_count",
    type=click.IntRange(100, 10_000),
    metavar="N",
    default=1500,
    show_default=True,
    help="Size of the fleet.",
)
def command(run_count: int, *, once: bool) -> None:
    """Show what Farthing does, with a made-up fleet of agents.

    Starts a collector on a ledger in a temporary folder, sends it a week of agent runs
    as OTLP over the wire, prints the report and stays up until Ctrl-C. The folder goes
    with it.
    """
    with (
        tempfile.TemporaryDirectory(prefix="farthing-demo-") as folder,
        workplace(Path(folder)) as office,
    ):
        settings = _settings(Path(folder), office, any_port=once)
        demo = _Demo(settings, office, run_count, once=once)
        is_done = asyncio.run(demo.play())
    if not is_done:
        sys.exit(INTERRUPTED)


def _settings(folder: Path, office: Workplace, *, any_port: bool) -> Settings:
    """An embedded ledger in `folder`; the usual ports where they are free."""
    usual = {name: Settings.model_fields[name].default for name in _LISTENERS}
    addresses: dict[str, Any] = {
        name: _address(0 if any_port else host_port(address).port)
        for name, address in usual.items()
    }
    taken = [usual[name] for name in usual if addresses[name].endswith(":0")]
    if taken and not any_port:
        show.line(f"In use by another program: {', '.join(taken)}; taking other ports.")
    return load_settings(
        data_dir=folder,
        store=ledger_url(folder),
        cluster="",
        alerts_file=office.alerts_file,
        **addresses,
    )


def _address(port: int) -> str:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return f"127.0.0.1:{port}"
    return "127.0.0.1:0"


class _Stopped(Exception):
    """Somebody wants the demo to end."""


class _Demo:
    """One showing. Signals end it at any moment, and the folder is removed."""

    def __init__(
        self, settings: Settings, office: Workplace, run_count: int, *, once: bool
    ) -> None:
        self._settings = settings
        self._office = office
        self._run_count = run_count
        self._once = once
        self._clock = DemoClock()
        self._stop = threading.Event()

    async def play(self) -> bool:
        """Show it all; False if it was stopped before the report."""
        ended = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._end, ended)
        show.line("Starting a collector on an empty ledger in a temporary folder …")
        async with collector(self._settings, clock=self._clock) as running:
            announce(running.addresses)
            show.line()
            try:
                await asyncio.to_thread(self._perform, running)
            except _Stopped:
                return False
            if not self._once:
                show.line(
                    "Once both have been silent for ten minutes, it is taken back on"
                    " both; `farthing demo --once` shows that at once."
                )
                show.line()
                _tell_page(running.addresses.web_url)
                show.line("or on the command line, with")
                show.line(
                    f"  farthing run show {RUNAWAY_RUN_ID}"
                    f" --data {self._settings.data_dir}"
                )
                with contextlib.suppress(_Stopped):
                    await asyncio.to_thread(watch_alerts, self._office, self._wait)
                await ended.wait()
        return True

    def _end(self, ended: asyncio.Event) -> None:
        self._stop.set()
        ended.set()

    def _perform(self, running: Collector) -> None:
        now = datetime.now(UTC)
        with show.progress(f"sending {self._run_count:,} agent runs over OTLP") as tell:
            send(
                self._requests(now),
                running.addresses.http_url,
                token=self._settings.token_text,
                progress=lambda done: tell(done.spans, "spans"),
                wait=self._wait,
            )
        ran = self._run_agent(running) if can_run() else None
        with show.progress("pricing") as tell:
            while left := running.spool.waiting().requests:
                tell(left, "requests left")
                self._wait(0.05)
        with show.progress("looking for loops"):
            while not running.watching.is_idle:
                self._wait(0.05)
        words = None if self._once else in_folder(self._settings.data_dir)
        _report(running.ledger.store, now - timedelta(days=_DAYS), words)
        if ran is not None:
            _tell_agent(running.ledger.store, ran)
        show_alerts(self._office, self._wait)
        if self._once:
            end_alerts(self._office, self._clock, self._wait)

    def _run_agent(self, running: Collector) -> Ran:
        with show.progress("running an agent of the OpenAI SDK, unchanged"):
            return run_agent(
                running.addresses.http_url,
                self._settings.token_text,
                wait=self._wait,
            )

    def _requests(self, now: datetime) -> Iterator[bytes]:
        for request in fleet(now, runs=self._run_count):
            self._wait(0)
            yield request.SerializeToString()

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped


def _report(store: Store, since: datetime, words: str | None) -> None:
    now = datetime.now(UTC)
    for by in ("task_type", "business_unit", "model"):
        report = spend(store, by=by, since=since, now=now)
        print_report(report, with_notes=by == "model", words=words)
        show.line()
    loop, _ = run(store, LOOP_RUN_ID)
    runaway, _ = run(store, RUNAWAY_RUN_ID)
    show.line(
        f"A run that loops: {loop.run_id}, {loop.tool_calls} tool calls of which"
        f" {loop.errors} failed, {show.money(loop.cost_usd)}. Found:"
    )
    for finding in findings(store, LOOP_RUN_ID):
        show.line(f"  {described(finding, now=now)}")
    show.line(
        f"A run that cost {_times_median(store, runaway)}:"
        f" {runaway.run_id}, {show.money(runaway.cost_usd)}."
    )


def _tell_page(url: str) -> None:
    show.line("Look at it until Ctrl-C:")
    show.line(f"  everything   {url}/")
    show.line(f"  the runaway  {url}/runs/{RUNAWAY_RUN_ID}")
    show.line(f"  the loop     {url}/runs/{LOOP_RUN_ID}")


def _tell_agent(store: Store, ran: Ran) -> None:
    """What the ledger has of the agent that was run, beside what it was billed for."""
    [found] = store.rows(
        "SELECT sum(calls) AS calls, sum(cost_usd) AS usd FROM spans"
        " WHERE task_type = {task:String}",
        {"task": TASK_TYPE},
    )
    show.line(
        f"A real agent, instrumented by variables alone: {TASK_TYPE},"
        f" {found['calls']} of {ran.billed_calls} billed calls,"
        f" {show.money(found['usd'])}."
    )


def _times_median(store: Store, found: Run) -> str:
    """How far a run is above the median of its kind, in words, as its page has it."""
    view = View(found.start_time, found.end_time, {"run": (found.run_id,)})
    [told] = store.rows(asked("run_summary", view))
    return f"{told['times_median']:.1f} times the median of {found.task_type}"
