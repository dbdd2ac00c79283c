"""`python -m benchmarks.panels`: every panel on a ledger of 10 million spans."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from benchmarks.panels.fleet import fill_fleet, merge
from benchmarks.panels.measure import Took, ask, took
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.web.page.asking import AT_ONCE
from farthing.dashboards.catalogue import dashboard, panels, with_usual
from farthing.dashboards.macros import View
from farthing.economics.prices import load_catalogue

RANGES: Final = {"week": 150, "all": 500}
"""Milliseconds that are promised at p95."""
FIRST_PAGE: Final = "overview"
_USUAL_DAYS: Final = 7


@click.command()
@click.option("--spans", default=10_000_000, show_default=True)
@click.option("--runs", default=100_000, show_default=True)
@click.option("--days", default=60, show_default=True)
@click.option("--times", default=20, show_default=True, help="Askings of each panel.")
@click.option("--panel", "names", multiple=True, help="Only these.")
@click.option("--range", "ranges", type=click.Choice([*RANGES]), multiple=True)
@click.option("--keep", type=Path, help="A folder for the ledger, used again.")
def main(
    spans: int, runs: int, days: int, times: int, names: Sequence[str],
    ranges: Sequence[str], keep: Path,
) -> None:  # fmt: skip
    """Make the ledger, ask every panel, say which are slower than is promised."""
    with _folder(keep) as folder:
        store = Store(Address(path=folder / "ledger"))
        Ledger(store, load_catalogue()).open(retention_days=None)
        if not store.rows("SELECT 1 FROM spans LIMIT 1"):
            _fill(store, spans=spans, runs=runs, days=days)
        [held] = store.rows(
            "SELECT count() AS spans, max(time) AS until, any(run_id) AS run FROM spans"
        )
        until = held["until"].replace(tzinfo=UTC, microsecond=0)
        chosen = {"run": (held["run"],)}
        print(f"{held['spans']:,} entries of spans")
        for name in ranges or RANGES:
            over = {"week": _USUAL_DAYS, "all": days + 2}[name]
            view = View(until - timedelta(days=over), until, chosen)
            print(f"\n{over} days: p95 within {RANGES[name]} ms\n")
            _show(store, names or sorted(panels()), view, times, RANGES[name])
            print(f"\nall of {FIRST_PAGE} at once: {_page_ms(store, view):.0f} ms")
        store.close()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="farthing-bench-") as name:
        yield Path(name)


def _fill(store: Store, *, spans: int, runs: int, days: int) -> None:
    began_s = time.monotonic()
    until = datetime.now(UTC)
    for done in fill_fleet(store, spans=spans, runs=runs, days=days, until=until):
        print(f"\r{done:,} runs", end="", flush=True)
    merge(store)
    print(f"\rmade and merged in {time.monotonic() - began_s:.0f} s")


def _show(
    store: Store, names: Sequence[str], view: View, times: int, most_ms: int
) -> None:
    print("| panel | p50 ms | p95 ms | rows read | MB read | |")
    print("|---|---:|---:|---:|---:|---|")
    for name in names:
        _line(took(store, name, view, times=times), most_ms)


def _line(one: Took, most_ms: int) -> None:
    print(
        f"| {one.panel} | {one.p50_ms:.0f} | {one.p95_ms:.0f} | {one.read_rows:,}"
        f" | {one.read_bytes / 1e6:.1f} | {'SLOW' if one.p95_ms > most_ms else ''} |",
        flush=True,
    )


def _page_ms(store: Store, view: View) -> float:
    """Until the last panel of the first page has its answer."""
    began_s = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(
            threads.map(
                lambda name: ask(store, name, view),
                with_usual(dashboard(FIRST_PAGE).panels),
            )
        )
    return (time.perf_counter() - began_s) * 1000


main()
