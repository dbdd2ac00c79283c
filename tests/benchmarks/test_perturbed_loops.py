"""Runs that are told otherwise stay runs that can be judged."""

from __future__ import annotations

import pytest

from benchmarks.loops.__main__ import DATA
from benchmarks.loops.perturbed import PERTURBED, perturbed
from farthing.collector.watch.labelled import read_runs

RUN = next(
    run
    for run in read_runs(DATA / "sentinel.jsonl.gz")
    if run.label == "loop" and any(step.err_sig_hash for step in run.steps)
)


@pytest.mark.parametrize("name", PERTURBED)
def test_a_run_is_told_otherwise_and_each_time_alike(name: str) -> None:
    """All but the first telling change something, and nothing that people said; and a
    benchmark that is run again judges the same."""
    told = perturbed(RUN, name)
    assert told == perturbed(RUN, name)
    assert (told == RUN) == (name == "as they are")
    assert [s for s in told.steps if s.kind == "user"] == [
        s for s in RUN.steps if s.kind == "user"
    ]
