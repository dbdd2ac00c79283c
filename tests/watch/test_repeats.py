"""What the watch remembers of runs is bounded."""

from __future__ import annotations

import pytest

from farthing.collector.watch.repeats import Repeats


@pytest.mark.parametrize("keys", [[], [1, 2, 3]])
def test_the_oldest_runs_are_forgotten(keys: list[int]) -> None:
    """Whether their steps have fingerprints or, as most runs', none."""
    repeats = Repeats(keys_most=100)
    for number in range(1_000):
        repeats.count(f"run {number}", keys, first_us=0, last_us=0)
    known = [number for number in range(1_000) if f"run {number}" in repeats]
    assert 1 <= len(known) <= 100
    assert known[-1] == 999
