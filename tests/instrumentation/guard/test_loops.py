"""The guard in a loop, with calls that no SDK makes."""

from __future__ import annotations

import pytest

from farthing.errors import LoopDetected, RunStopped
from farthing.instrumentation.guard.notices import Notice
from tests.instrumentation.guard.agents import Agent, agent, with_result

LOOP = {"FARTHING_ON_LOOP": "stop"}


def repeat(worker: Agent, times: int, *, text: str = "nothing found") -> None:
    for number in range(times):
        worker.call(
            with_result(text, number=number), response_id=f"r{len(worker.sent)}"
        )


def test_a_loop_is_stopped() -> None:
    """The same answer over and over: the run is stopped, and says how it repeats."""
    worker = agent(LOOP)
    with pytest.raises(LoopDetected) as stop:
        repeat(worker, 30, text="Error: no such page")
    assert 3 <= len(worker.sent) <= 10
    assert stop.value.calls >= 3
    assert isinstance(stop.value, RunStopped)
    with pytest.raises(LoopDetected):
        worker.call(with_result("Error: no such page", number=99))


def test_progress_is_no_loop() -> None:
    """Another result each time, and nothing is said."""
    worker = agent(LOOP)
    for number in range(30):
        worker.call(with_result(f"page about {chr(97 + number) * 9}", number=number))
    assert len(worker.sent) == 30


def test_refusals_of_the_other_side_are_no_loop() -> None:
    """A 503 in a result that claims success is the infrastructure's: to try again is
    no loop of the agent's."""
    worker = agent(LOOP)
    repeat(worker, 12, text='{"error": "503 service unavailable"}')
    assert len(worker.sent) == 12


def test_a_loop_is_handed_back_once_per_episode(notices: list[Notice]) -> None:
    """The agent is told to try otherwise; if it goes on all the same, it is stopped."""
    worker = agent({"FARTHING_ON_LOOP": "handback"})
    with pytest.raises(LoopDetected):
        repeat(worker, 30, text="Error: no such page")
    assert "different approach" in worker.sent[-1]["messages"][-1]["content"]
    assert [notice.what for notice in notices] == ["loop"]


def test_a_loop_can_be_told_only(notices: list[Notice]) -> None:
    """`warn`: told once, and every call is sent."""
    worker = agent({"FARTHING_ON_LOOP": "warn"})
    repeat(worker, 30, text="Error: no such page")
    assert len(worker.sent) == 30
    assert [notice.what for notice in notices] == ["loop"]


def test_parallel_conversations_of_a_run_are_no_loop() -> None:
    """Workers of one run that do the same, each once, do not repeat themselves."""
    worker = agent(LOOP)
    for number in range(30):
        request = with_result("nothing found", number=number)
        request["messages"][0] = {"role": "user", "content": f"part {chr(65 + number)}"}
        worker.call(request)
    assert len(worker.sent) == 30
