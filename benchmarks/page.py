"""What the page costs a browser: bytes over the wire, and time until its charts stand.

`python -m benchmarks.page`: a real collector with 10,000 runs, and Debian's Chromium.
`--keep DIR` takes the ledger that `benchmarks.panels --keep DIR` made, of 100,000 runs.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from playwright.sync_api import BrowserContext, expect, sync_playwright

from benchmarks.alerts.fleet import fill_fleet
from benchmarks.process import Collector
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue

RUNS: Final = 10_000
DAYS: Final = 7
_ROUNDS: Final = 5
_OPENED_MS: Final = 1500
"""Until the browser has done what it does for any new tab, half a second of CPU."""
_PAGES: Final = {"overview": "/", "runs": "/runs", "cost per task": "/dashboards/cost"}
_STARTED_S: Final = 10.0
"""Until the collector has looked at what its ledger holds: alerts, merges."""
_PLAIN: Final = "/dashboards/none"
"""A page that asks the ledger nothing: what server and browser take by themselves."""


def fill(data: Path) -> None:
    """Make the ledger; in a process that ends, for chdb keeps its folder until then."""
    store = Store(Address(path=data / "ledger"))
    store.create_database()
    Ledger(store, load_catalogue()).open(retention_days=None)
    fill_fleet(store, runs=RUNS, days=DAYS, until=datetime.now(UTC))
    store.close()


_SEEN: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_COMPLETE: Final = "performance.getEntriesByType('navigation')[0].domInteractive"


@dataclass(frozen=True, slots=True)
class Visit:
    """Bytes over the wire; seconds until something was seen of the page, until all its
    numbers were there, and until all charts that are in sight were drawn."""

    size: int
    seen_s: float
    complete_s: float
    drawn_s: float


def visit(context: BrowserContext, url: str) -> Visit:
    """Open a page in a tab of its own."""
    tab = context.new_page()
    tab.wait_for_timeout(_OPENED_MS)
    network = context.new_cdp_session(tab)
    network.send("Network.enable")
    sizes: list[float] = []

    def loaded(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    network.on("Network.loadingFinished", loaded)
    began = time.perf_counter()
    tab.goto(url)
    charts = tab.locator("figure.chart")
    if charts.count():
        expect(charts.first).to_have_class("chart drawn", timeout=60_000)
    drawn_s = time.perf_counter() - began
    tab.wait_for_load_state("networkidle")
    seen_s, complete_s = (tab.evaluate(time) / 1000 for time in (_SEEN, _COMPLETE))
    tab.close()
    return Visit(int(sum(sizes)), seen_s, complete_s, drawn_s)


@contextmanager
def _filled() -> Iterator[Path]:
    """A data folder with a ledger of its own."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        filling = multiprocessing.get_context("spawn").Process(
            target=fill, args=(data,)
        )
        filling.start()
        filling.join()
        yield data


@click.command()
@click.option("--keep", type=Path, help="A folder with a ledger, instead of a new one.")
def main(keep: Path | None) -> None:
    """Measure, and print a table."""
    chromium = shutil.which("chromium") or sys.exit("chromium is needed")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        nullcontext(keep) if keep else _filled() as data,
        sync_playwright() as playwright,
    ):
        collector = Collector(data)
        collector.start()
        time.sleep(_STARTED_S)
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            root = f"http://127.0.0.1:{collector.ports.web}"
            cold = visit(browser.new_context(), f"{root}/")
            print(
                f"the very first page, charts.js made meanwhile: {cold.seen_s:.2f} s,"
                f" all numbers {cold.complete_s:.2f} s, charts {cold.drawn_s:.2f} s"
            )
            plain = _median(browser.new_context(), f"{root}{_PLAIN}")
            print(f"a page without questions: {plain.drawn_s:.2f} s")
            print(
                f"{'page':<14} {'first, kB':>9} {'again, kB':>9} {'seen':>6}"
                f" {'numbers':>7} {'charts':>6} {'ratio':>6}"
            )
            for name, path in _PAGES.items():
                context = browser.new_context()
                first = visit(context, f"{root}{path}").size / 1000
                again = visit(context, f"{root}{path}").size / 1000
                took = _median(context, f"{root}{path}")
                ratio = took.drawn_s / plain.drawn_s
                print(
                    f"{name:<14} {first:>9.0f} {again:>9.0f} {took.seen_s:>6.2f}"
                    f" {took.complete_s:>7.2f} {took.drawn_s:>6.2f} {ratio:>6.1f}"
                )
        finally:
            browser.close()
            collector.stop()


def _median(context: BrowserContext, url: str) -> Visit:
    """Of a page whose files the browser has."""
    visits = [visit(context, url) for _ in range(_ROUNDS)]
    return Visit(
        visits[-1].size,
        statistics.median(one.seen_s for one in visits),
        statistics.median(one.complete_s for one in visits),
        statistics.median(one.drawn_s for one in visits),
    )


if __name__ == "__main__":
    main()
