"""The figures as Markdown tables, printed row by row as they are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.ingest.disk import Table
    from benchmarks.ingest.generator import Acknowledged
    from benchmarks.ingest.measure import Measured

_MB = 1e6


@dataclass(frozen=True)
class Peer:
    """What another collector did with the same load."""

    acknowledged: Acknowledged
    delivered_s: float
    delivered_bytes: int
    cpu_s: float
    dropped: bool

    @property
    def delivered_per_s(self) -> float:
        """From the first request's sending until the sink had the last row."""
        return self.acknowledged.spans / self.delivered_s


@dataclass(frozen=True)
class _Column:
    """A heading and how its cell is made of a result."""

    heading: str
    cell: Callable[[Measured], str]


_MEASURED = (
    _Column("spans", lambda m: f"{m.spans:,}"),
    _Column("acknowledged/s", lambda m: f"{m.acknowledged_per_s:,.0f}"),
    _Column("queryable/s", lambda m: f"{m.queryable_per_s:,.0f}"),
    _Column("ack p50 ms", lambda m: f"{m.acknowledged.ack_p50_s * 1e3:.1f}"),
    _Column("ack p99 ms", lambda m: f"{m.acknowledged.ack_p99_s * 1e3:.1f}"),
    _Column("seen p50 s", lambda m: _seen(m, 50)),
    _Column("seen p99 s", lambda m: _seen(m, 99)),
    _Column("seen max s", lambda m: _seen(m, 100)),
    _Column("CPU s/10^6", lambda m: f"{m.cpu_s_per_million:.2f}"),
    _Column("generator CPU s/10^6", lambda m: f"{m.generator_s_per_million:.2f}"),
    _Column("idle MB", lambda m: f"{m.idle_bytes / _MB:.0f}"),
    _Column("peak MB", lambda m: f"{m.peak_bytes / _MB:.0f}"),
    _Column("told to wait", lambda m: str(m.acknowledged.refusals)),
)


def _seen(measured: Measured, percentile: float) -> str:
    seen = measured.end_to_end_s
    return f"{measured.end_to_end(percentile):.2f}" if seen else "-"


def growth(
    results: Iterable[tuple[Measured, list[Table]]],
) -> tuple[Measured, list[Table]]:
    """The main line at several sizes, with what it takes on disk; returns the last."""
    title("Growth: HTTP, 512 spans a request, each size with a new ledger")
    headings = [column.heading for column in _MEASURED]
    header([*headings, "disk B/span", "of it spans"])
    for measured, tables in results:
        sizes = {table.name: table.bytes / measured.spans for table in tables}
        disk = [f"{sum(sizes.values()):.1f}", f"{sizes.get('spans', 0):.1f}"]
        row([*(column.cell(measured) for column in _MEASURED), *disk])
    return measured, tables


def shares(results: Iterable[Measured]) -> Measured:
    """Rates below what is sustained; returns the last."""
    title("Below the sustained rate: HTTP, 512 spans a request, each with a new ledger")
    headings = [column.heading for column in _MEASURED]
    header(["sent/s", *headings])
    for measured in results:
        sent = f"{measured.load.rate:,.0f}"
        row([sent, *(column.cell(measured) for column in _MEASURED)])
    return measured


def shapes(results: Iterable[Measured]) -> None:
    """Protocols and request sizes."""
    title("Protocols and request sizes, each with a new ledger")
    headings = [column.heading for column in _MEASURED]
    header(["protocol", "spans a request", "connections", *headings])
    for measured in results:
        load = measured.load
        how = [load.protocol, str(load.spans), str(load.connections)]
        row([*how, *(column.cell(measured) for column in _MEASURED)])


def ratio(ours: Sequence[Measured], theirs: Sequence[Peer]) -> float:
    """Ours against rotel's, in the same run; returns how many times as fast we are."""
    title("The same load through rotel: HTTP, 512 spans a request")
    header(["", "acknowledged/s", "through/s", "CPU s/10^6", "sent on B/span"])
    for measured in ours:
        row(
            [
                "farthing, into the ledger",
                f"{measured.acknowledged_per_s:,.0f}",
                f"{measured.queryable_per_s:,.0f}",
                f"{measured.cpu_s_per_million:.2f}",
                "-",
            ]
        )
    for peer in theirs:
        spans = peer.acknowledged.spans
        row(
            [
                "rotel, into a sink" + (" (dropped data)" if peer.dropped else ""),
                f"{spans / peer.acknowledged.elapsed_s:,.0f}",
                f"{peer.delivered_per_s:,.0f}",
                f"{peer.cpu_s / spans * 1e6:.2f}",
                f"{peer.delivered_bytes / spans:.0f}",
            ]
        )
    through = mean(m.queryable_per_s for m in ours)
    times = through / mean(p.delivered_per_s for p in theirs)
    print(f"\nratio: {times:.2f}", flush=True)
    return times


def title(text: str) -> None:
    """A heading."""
    print(f"\n### {text}\n")


def header(cells: Sequence[str]) -> None:
    """The first two lines of a table."""
    row(cells)
    row(["---"] * len(cells))


def row(cells: Sequence[str]) -> None:
    """A line of a table, shown at once."""
    print(f"| {' | '.join(cells)} |", flush=True)
