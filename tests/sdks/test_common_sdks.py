"""The OpenAI and Anthropic SDKs, for real: what is in the ledger is what was billed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.matrix import table
from tests.sdks.outcomes import outcomes
from tests.sdks.running import Runner, Tried

SDKS = ("openai", "anthropic")
FAST = (
    "plain", "streamed", "streamed_with_usage", "streamed_until_the_last_word",
    "streamed_by_helper", "raw_streamed", "tools", "background",
    "asynchronous_streamed",
)  # fmt: skip


@pytest.fixture(scope="session")
def tried(runner: Runner) -> dict[str, Tried]:
    """Each agent, run once."""
    return {sdk: runner.run(f"{sdk}_agent") for sdk in SDKS}


@pytest.mark.parametrize("sdk", SDKS)
def test_the_ledger_equals_the_bill(tried: dict[str, Tried], sdk: str) -> None:
    """Of every case the ledger has the calls and tokens that were billed, to the token,
    each call once; and says of which calls it does not know all."""
    wrong = {case.name: case.differences() for case in tried[sdk].cases.values()}
    assert {name: found for name, found in wrong.items() if found} == {}
    assert "farthing:" not in tried[sdk].stderr, tried[sdk].stderr


@pytest.mark.parametrize("sdk", SDKS)
def test_every_call_is_attributed(tried: dict[str, Tried], sdk: str) -> None:
    """Three variables give task type and business unit, and code says the step."""
    rows = [row for case in tried[sdk].cases.values() for row in case.rows]
    assert {(row["task_type"], row["business_unit"]) for row in rows} == {
        ("sdk-test", "tests")
    }


@pytest.mark.parametrize("sdk", SDKS)
def test_the_table_says_what_is_so(tried: dict[str, Tried], sdk: str) -> None:
    """docs/sdks.md has the outcomes of today; else: `make test-matrix ARGS=common`."""
    assert table.results()[sdk]["cases"] == outcomes(tried[sdk])
    assert table.written() == table.table(table.results())


@pytest.mark.parametrize("sdk", SDKS)
def test_the_application_sees_the_same(
    runner: Runner, tried: dict[str, Tried], sdk: str
) -> None:
    """Without any instrumentation the application gets the same answers, chunk by
    chunk: nothing of ours is to be seen."""
    seen = runner.run_bare(f"{sdk}_agent")
    assert seen == {name: case.saw for name, case in tried[sdk].cases.items()}


def test_include_usage_can_be_switched_off(runner: Runner) -> None:
    """FARTHING_INCLUDE_USAGE=off leaves requests as they are: a streamed chat counts,
    with its usage unknown."""
    tried = runner.run(
        "openai_agent", "streamed", "plain", FARTHING_INCLUDE_USAGE="off"
    )
    states = [row["cost_state"] for row in tried.cases["streamed"].rows]
    assert states == ["no_usage"]
    assert tried.cases["plain"].differences() == {}


BREAK: tuple[str, ...] = (
    "watching.stainless:_options",
    "watching.stainless:_answered",
    "watching.stainless:_fetched",
    "watching.call:_who",
    "watching.call:Watch.before",
    "watching.answer:Answer.hear",
    "watching.call:Watch.finished",
    "watching.call:Watch.left",
    "watching.answer:Answer.see",
    "watching.answer:Answer._tell_late",
    "watching.stainless:_form",
    "watching.later:operation_of",
    "tagging:close_place",
    "tagging:give_place",
    "tagging:TagSpans._tag",
    "watching.later:place_of",
    "watching.later:_Completed",
    "watching.spans:current",
    "watching.spans:started",
    "watching.spans:end",
    "watching.include_usage:asked",
    "watching.include_usage:_is_last",
    "watching.background:Background.fetched",
)
"""Functions of ours, each of which is made to raise."""


def test_what_breaks_of_ours_never_reaches_the_agent(
    runner: Runner, tried: dict[str, Tried]
) -> None:
    """With our own code failing inside each hook, observers too, the application gets
    the answers that it gets without us."""
    broken = runner.run_broken("openai_agent", BREAK, cases=FAST)
    expected = {name: tried["openai"].cases[name].saw for name in FAST}
    wrong: dict[str, Any] = {
        place: saw for place, saw in broken.items() if saw != expected
    }
    assert wrong == {}
    assert set(broken) == {*BREAK, "observers"}


def test_the_stand_in_runs_on_its_own() -> None:
    """`python -m farthing.collector.demo.providers` says where it is."""
    with subprocess.Popen(
        [sys.executable, "-m", "farthing.collector.demo.providers"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith("providers: http://127.0.0.1:")
