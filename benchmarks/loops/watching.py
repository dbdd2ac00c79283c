"""What watching costs, and how soon a finding is there.

python -m benchmarks.loops.watching
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from benchmarks.loops.cost import Cost, costs
from benchmarks.loops.delay import Delay, delays

_MS: Final = 1000


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.option("--spans", default=500_000, help="Sent while delays are measured.")
@click.option("--paced-s", default=20.0, help="How long each paced load lasts.")
def main(*, as_json: bool, spans: int, paced_s: float) -> None:
    """What watching costs, and how soon a finding is there."""
    began_s = time.monotonic()
    told: list[Cost | Delay] = []
    with tempfile.TemporaryDirectory() as folder:
        for one in _measured(Path(folder), spans=spans, paced_s=paced_s):
            told.append(one)
            click.echo(f"{time.monotonic() - began_s:4.0f} s: {one.name}", err=True)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in told]))
        return
    _show_costs([one for one in told if isinstance(one, Cost)])
    _show_delays([one for one in told if isinstance(one, Delay)])


def _measured(folder: Path, *, spans: int, paced_s: float) -> Iterator[Cost | Delay]:
    # First, while no engine runs in this process.
    yield from delays(folder, spans=spans, paced_s=paced_s)
    yield from costs(folder / "engine")


def _show_costs(measured: Sequence[Cost]) -> None:
    click.echo(
        "| spans of | batches of | with a finding | load, us/span | watch, us/span"
        " | watch adds |\n|---|---:|---:|---:|---:|---:|"
    )
    for one in measured:
        click.echo(
            f"| {one.name} | {one.batch_spans:,} | {one.found:,} of {one.runs:,} runs"
            f" | {1e6 * one.load_s / one.spans:.1f}"
            f" | {1e6 * one.watch_s / one.spans:.1f} | {one.share:.0%} |"
        )


def _show_delays(measured: Sequence[Delay]) -> None:
    click.echo(
        "\n| under | findings | span seen p50 | finding seen p50 | p95 | largest |"
        "\n|---|---:|---:|---:|---:|---:|"
    )
    for one in measured:
        cells = (one.span(50), one.finding(50), one.finding(95), one.finding(100))
        shown = " | ".join(f"{_MS * cell:,.0f} ms" for cell in cells)
        click.echo(f"| {one.name} | {len(one.finding_s)} | {shown} |")


if __name__ == "__main__":
    main()
