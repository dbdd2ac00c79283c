"""`python -m benchmarks.ingest`: measures, and prints Markdown tables.

Read benchmarks/README.md first: it says what the figures mean and do not mean.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.ingest import disk, report, rotel, targets
from benchmarks.ingest.generator import Load
from benchmarks.ingest.measure import Measured, generate, measure
from benchmarks.process import Collector, Ports, cpu_s

SETTLE_S = 8.0  # after its start, before its idle memory is read
CONNECTIONS = {1: 64, 16: 32, 64: 16, 512: 8}
# Small requests cost more each, so fewer spans say as much in the same time.
SHARE = {1: 0.05, 16: 0.25, 64: 0.5, 512: 1.0}
MAIN_SPANS = 512
SHARES = (0.5, 0.8)
"""Of the rate that is sustained: how soon is a span seen there?"""


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="farthing-bench-") as name:
        targets.show([*_parts(options, Path(name))])


def _parts(options: argparse.Namespace, folder: Path) -> Iterator[targets.Target]:
    """Measure the parts asked for, print each, yield what was promised of it."""
    if "growth" in options.only:
        measured, tables = report.growth(_growth(folder, options.growth))
        yield from targets.of_main_line(measured, tables)
        sustained = report.shares(
            _shares(folder, options.spans, sustained=measured.queryable_per_s)
        )
        yield from targets.of_sustained(sustained)
    if "shapes" in options.only:
        report.shapes(_shapes(folder, options.spans))
    if "rotel" in options.only:
        yield from targets.of_peer(_against_rotel(folder, options.spans))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument(
        "--spans", type=int, default=2_000_000, help="spans of the main line"
    )
    parser.add_argument(
        "--full", action="store_true", help="growth up to 10^7 spans, not to --spans"
    )
    parser.add_argument(
        "--dir", type=Path, help="where ledgers go; else the temp folder"
    )
    parts = ["growth", "shapes", "rotel"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    options.growth = [10**5, 10**6, 10**7] if options.full else [10**5, options.spans]
    return options


def load_of(
    protocol: str, ports: Ports, *, spans: int, total: int, stream: int = 0
) -> Load:
    """`total` spans in requests of `spans`."""
    port = ports.grpc if protocol == "grpc" else ports.http
    return Load(
        protocol=protocol,
        port=port,
        requests=max(total // spans, CONNECTIONS[spans]),
        spans=spans,
        connections=CONNECTIONS[spans],
        stream=stream,
    )


@contextmanager
def collecting(data: Path) -> Iterator[Collector]:
    """A collector on a new ledger, settled."""
    collector = Collector(data)
    collector.start()
    try:
        time.sleep(SETTLE_S)
        yield collector
    finally:
        collector.stop()


def _growth(
    folder: Path, sizes: Iterable[int]
) -> Iterator[tuple[Measured, list[disk.Table]]]:
    """The main line at growing sizes, each with a new ledger."""
    for total in sizes:
        data = folder / f"growth-{total}"
        with collecting(data) as collector:
            load = load_of("http", collector.ports, spans=MAIN_SPANS, total=total)
            measured = measure(collector, load)
        yield measured, disk.merged(data)


def _shares(folder: Path, total: int, *, sustained: float) -> Iterator[Measured]:
    """The main line at shares of the rate that it sustains."""
    for share in SHARES:
        with collecting(folder / f"share-{share}") as collector:
            load = load_of("http", collector.ports, spans=MAIN_SPANS, total=total)
            yield measure(collector, replace(load, rate=share * sustained))


def _shapes(folder: Path, total: int) -> Iterator[Measured]:
    """Every protocol and request size, one collector for each."""
    for protocol in ("http", "grpc"):
        for spans, share in SHARE.items():
            with collecting(folder / f"{protocol}-{spans}") as collector:
                ports, some = collector.ports, int(total * share)
                yield measure(
                    collector, load_of(protocol, ports, spans=spans, total=some)
                )


def _against_rotel(folder: Path, total: int) -> float:
    """The same load through both, one after the other, ours first and last."""
    binary = rotel.install(Path("build/bench-venv"))
    ours = [_ours(folder / "before", total)]
    theirs = [_theirs(binary, folder, total) for _ in range(2)]
    ours.append(_ours(folder / "after", total))
    return report.ratio(ours, theirs)


def _ours(data: Path, total: int) -> Measured:
    with collecting(data) as collector:
        load = load_of("http", collector.ports, spans=MAIN_SPANS, total=total)
        return measure(collector, load)


def _theirs(binary: Path, folder: Path, total: int) -> report.Peer:
    with rotel.running(binary, folder) as peer:
        load = load_of("http", peer.ports, spans=MAIN_SPANS, total=total)
        acknowledged = generate(load)
        delivered_s = peer.delivered_at_s() - acknowledged.started_s
        return report.Peer(
            acknowledged=acknowledged,
            delivered_s=delivered_s,
            delivered_bytes=peer.delivered_bytes(),
            cpu_s=cpu_s(peer.pid),
            dropped=peer.dropped(),
        )


if __name__ == "__main__":
    main()
