"""The detector keeps what it reached on real runs (benchmarks/loops/data)."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.collector.watch.evaluate import Evaluation, evaluate
from farthing.collector.watch.labelled import read_runs

DATA = Path(__file__).parents[2] / "benchmarks/loops/data"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    runs = (run for path in sorted(DATA.glob("*.gz")) for run in read_runs(path))
    return evaluate(runs, level="confirmed")


def test_loops_are_found_early(evaluation: Evaluation) -> None:
    """Nearly all labelled loops are found, half of them within four calls, when most of
    what they will cost is still unspent."""
    sentinel = evaluation.sources["sentinel"].to_json()
    assert sentinel["found"] >= 64
    assert sentinel["loops"] == 68
    assert sentinel["delay_median"] <= 4
    assert sentinel["unspent_at_alarm"] >= 0.6
    assert evaluation.sources["intercode"].found == 116


def test_healthy_runs_are_left_alone(evaluation: Evaluation) -> None:
    """Of 1,137 healthy runs of small models at most those seven are flagged that do
    repeat themselves; of coding and customer-service runs that succeed, none."""
    sentinel = evaluation.sources["sentinel"]
    assert (sentinel.normal, sentinel.false_alarms <= 7) == (1137, True)
    mini = evaluation.sources["mini_swe_agent_gemini3"]
    assert (mini.normal, mini.false_alarms) == (192, 0)
    tau = evaluation.sources["agentrx_tau_retail"]
    assert (tau.normal, tau.false_alarms) == (97, 0)
