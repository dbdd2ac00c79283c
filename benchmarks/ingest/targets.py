"""What the project promises of ingestion, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.ingest.report import header, row, title

if TYPE_CHECKING:
    from benchmarks.ingest.disk import Table
    from benchmarks.ingest.measure import Measured

_MB = 1e6


@dataclass(frozen=True)
class Target:
    """A promise, what was measured, and whether it holds."""

    promise: str
    measured: str
    holds: bool


def of_main_line(measured: Measured, tables: Sequence[Table]) -> list[Target]:
    """The promises about HTTP at 512 spans a request."""
    rate = measured.queryable_per_s
    peak_mb, idle_mb = measured.peak_bytes / _MB, measured.idle_bytes / _MB
    disk = sum(table.bytes for table in tables) / measured.spans
    return [
        Target("100,000 queryable spans/s", f"{rate:,.0f}", rate >= 100_000),
        Target("under 900 MB resident at that load", f"{peak_mb:.0f}", peak_mb < 900),
        Target("under 450 MB resident idle", f"{idle_mb:.0f}", idle_mb < 450),
        Target("at most 60 bytes of disk a span", f"{disk:.1f}", disk <= 60),
    ]


def of_sustained(measured: Measured) -> list[Target]:
    """The promise about how soon a span is seen, four fifths of the rate being sent."""
    seen_s = measured.end_to_end(99)
    promise = "a span is queryable within 2 s (p99, at 80 % of that rate)"
    return [Target(promise, f"{seen_s:.2f}", seen_s <= 2)]


def of_peer(ratio: float) -> list[Target]:
    """The promise about rotel."""
    return [Target("ahead of rotel's exporter path", f"{ratio:.2f}x", ratio > 1)]


def show(targets: Sequence[Target]) -> None:
    """The promises as a table."""
    title("Promises")
    header(["promise", "measured", "holds"])
    for target in targets:
        row([target.promise, target.measured, "yes" if target.holds else "NO"])
