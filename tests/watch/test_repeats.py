"""What the watch remembers of runs is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from farthing.collector.watch.repeats import Brought, Repeats


def row(run_id: str, keys: Sequence[int]) -> Brought:
    return Brought(run_id, 1, 1, 1, 1, "1", "", (0, 0, ""), 0, 0, keys, handing=0)


@pytest.mark.parametrize("keys", [[], [1, 2, 3]])
def test_the_oldest_runs_are_forgotten(keys: list[int]) -> None:
    """Whether their steps have fingerprints or, as most runs', none."""
    repeats = Repeats(keys_most=100)
    for number in range(1_000):
        repeats.count(row(f"run {number}", keys))
    known = [number for number in range(1_000) if f"run {number}" in repeats]
    assert 1 <= len(known) <= 100
    assert known[-1] == 999


def test_a_run_of_very_many_keys_is_always_looked_at() -> None:
    """What it repeats is no longer counted, which would take ever more room."""
    repeats = Repeats()
    for first in range(0, 60_000, 10_000):
        repeats.count(row("long", range(first, first + 10_000)))
    assert repeats.count(row("long", [-1]))
    standing = repeats.get("long")
    assert standing is not None
    assert len(standing.counts) < 10_000
