"""A run is stalled if it leaves its kind behind, grows, and learns less."""

from __future__ import annotations

import pytest

from farthing.economics.loops import Baseline, Detector, Finding, Stall, Step, Taken
from tests.economics.loops.scenarios import page
from tests.economics.loops.stuck import reworded
from tests.economics.loops.telling import called, replied

USUAL = Baseline(runs=200, calls=30, tokens=90_000)


def judged(steps: list[Step], baseline: Baseline, *, factor: int = 1) -> list[Finding]:
    stall, found = Stall(baseline), []
    calls = tokens = 0
    for step in steps:
        calls += step.kind == "tool"
        tokens += factor * ((step.input_tokens or 0) + (step.output_tokens or 0))
        told = stall.step(step, Taken(calls=calls, tokens=tokens))
        found += [told] if told else []
    return found


def test_a_run_that_rewords_is_stalled() -> None:
    """Beyond its kind in calls and tokens, with growing prompts and falling novelty, a
    run is suspected to be stalled: once, and never a loop."""
    steps = reworded(90)
    [found] = judged(steps, USUAL)
    assert (found.kind, found.level) == ("stalled", "suspected")
    assert found.calls > 1.5 * USUAL.calls
    assert "calls 1.6" in found.why
    detector = Detector()
    told = [each for step in steps for each in detector.step(step)]
    assert {each.level for each in told} <= {"suspected"}


@pytest.mark.parametrize(
    "baseline",
    [
        Baseline(runs=19, calls=30, tokens=90_000),
        Baseline(runs=200, calls=80, tokens=90_000),
        Baseline(runs=200, calls=30, tokens=9_000_000),
        Baseline(runs=200),
    ],
)
def test_what_its_kind_takes_is_not_stalled(baseline: Baseline) -> None:
    """Without enough runs to compare with, or within what its kind takes in all but one
    measure, nothing is said."""
    assert judged(reworded(90), baseline) == []


def test_a_long_run_that_learns_is_not_stalled() -> None:
    """However long a run is: while it finds new things, it is not stalled."""
    steps = [
        step
        for n in range(200)
        for step in (
            replied(input_tokens=2_000 + 100 * n, output_tokens=50),
            called("fetch", {"url": page(n)}, page(n)),
        )
    ]
    assert judged(steps, USUAL) == []


def test_prompts_that_do_not_grow_are_not_stalled() -> None:
    """A batch that begins each call anew may be long and alike."""
    flat = [
        replied(input_tokens=2_000, output_tokens=50) if s.kind == "llm" else s
        for s in reworded(90)
    ]
    assert judged(flat, USUAL, factor=9) == []


def asking(agents: list[str]) -> list[Finding]:
    """Of a run that asks other agents, one after the other, with growing prompts."""
    stall, found = Stall(Baseline(runs=200, agent_calls=20, tokens=90_000)), []
    tokens = 0
    for n, agent in enumerate(agents):
        asked = replied(input_tokens=2_000 + 100 * n, output_tokens=50)
        tokens += 2_050 + 100 * n
        taken = Taken(agent_calls=n + 1, tokens=tokens)
        stall.step(asked, taken)
        told = stall.asked(agent, taken, call_id=f"span {n}", time_ns=n)
        found += [told] if told else []
    return found


def test_a_run_that_asks_one_agent_far_too_often_is_stalled() -> None:
    """Agents that are asked again and again count as calls that resemble earlier ones:
    there is nothing else to tell a reworded question by."""
    few = [f"expert {n}" for n in range(12)]
    [found] = asking([*few, *["expert 3"] * 60])
    assert (found.kind, found.level) == ("stalled", "suspected")
    assert "calls of agents" in found.why
    assert found.at.call_id.startswith("span ")


def test_a_run_that_asks_ever_other_agents_is_not_stalled() -> None:
    """However many: each may know something new."""
    assert asking([f"expert {n}" for n in range(80)]) == []
