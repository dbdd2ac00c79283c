"""What people are told of loops: commands on a ledger with one run that is stuck."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from farthing.collector.store.ledger import delimited
from tests.cli.farthing_process import answer, farthing
from tests.watch.spans import SAME, read, request, run_of

STUCK = run_of("stuck", [read(0), read(1), *[SAME] * 12])
WELL = run_of("well", map(read, range(10)))
SINCE = ("--since", "2026-01-01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder into which both runs were replayed."""
    made = tmp_path_factory.mktemp("loops")
    recorded = made / "runs.pb"
    recorded.write_bytes(b"".join(delimited([request([*STUCK, *WELL])])))
    ended = farthing("replay", recorded, "--data", made / "data")
    assert ended.returncode == 0, ended.stderr
    return made / "data"


def test_report_says_what_was_wasted(folder: Path) -> None:
    """The report says how much was wasted, which part of all spend that is, and in how
    many runs."""
    told = answer("report", *SINCE, "--data", folder)
    assert told["wasted"] == {
        "runs": 1,
        "episodes": 1,
        "cost_usd": "0.0225",
        "lower_bound": False,
        "share_of_spend": pytest.approx(10 / 24),
    }
    shown = farthing("report", *SINCE, "--data", folder).stdout
    assert "Wasted $0.02250, 42 % of spend, 1 run in loops" in shown


def test_run_show_says_what_was_found(folder: Path) -> None:
    """A run shows what was found in it, since when, at what cost, and whether it goes
    on."""
    told = answer("run", "show", "stuck", "--data", folder)
    [found] = told["findings"]
    assert (found["kind"], found["level"], found["goes_on"]) == (
        "loop",
        "confirmed",
        False,
    )
    assert Decimal(found["usd_per_hour"]) == Decimal("0.81")
    shown = farthing("run", "show", "stuck", "--data", folder).stdout
    assert "loop confirmed: 11 more calls of run_tests" in shown


def test_loops_list(folder: Path) -> None:
    """`farthing loops list` has every finding of a time, or says that there is none."""
    [found] = answer("loops", "list", *SINCE, "--data", folder)
    assert (found["run_id"], found["cost_usd"]) == ("stuck", "0.0225")
    shown = farthing("loops", "list", "--since", "1m", "--data", folder).stdout
    assert shown.startswith("Nothing was found since")


def test_evaluate_on_a_ledger(folder: Path, tmp_path: Path) -> None:
    """`farthing loops evaluate` judges the runs of a ledger by task type, and explains
    one of them step by step."""
    words = ("loops", "evaluate", *SINCE, "--data", folder)
    alarms = tmp_path / "alarms.jsonl"
    told: Any = answer(*words, "--alarms", alarms)
    assert [(s["source"], s["runs"], s["flagged"]) for s in told["sources"]] == [
        ("review", 2, 1)
    ]
    [alarm] = map(json.loads, alarms.read_text().splitlines())
    assert (alarm["trace_id"], alarm["level"]) == ("stuck", "confirmed")
    steps = answer(*words, "--explain", "stuck")
    assert [s["score"] for s in steps if s["change"] > 0] == [0.6, 1.6, 2.6, 3.6, 4.0]
