"""What holds for any run: replays and other agents change nothing."""

from __future__ import annotations

import pickle
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.economics.loops import Detector, Finding, Step
from tests.economics.loops.scenarios import SCENARIOS
from tests.economics.loops.telling import called, replied, spoken, turns

_CALLS = st.builds(
    called,
    st.sampled_from(("bash", "edit", "search")),
    st.sampled_from(("one", "two", "three")),
    st.sampled_from(
        ("", "a result of a call", "Error: it failed", "a result of 2 calls")
    ),
    error=st.booleans(),
    retryable=st.sampled_from((False, False, False, True)),
)
_STEPS = st.one_of(
    _CALLS,
    _CALLS,
    st.builds(replied, st.sampled_from(("", "I am done with what you asked me for."))),
    st.builds(spoken, st.sampled_from(("go on", "stop", "again"))),
)
_RUNS = st.one_of(
    st.lists(_STEPS, max_size=60),
    st.sampled_from([scenario.steps for scenario in SCENARIOS]),
)


def named(steps: list[Step]) -> list[Step]:
    return [replace(step, call_id=f"id {n}") for n, step in enumerate(steps)]


def judged(steps: list[Step]) -> list[list[Finding]]:
    detector = Detector()
    return [detector.step(step) for step in steps]


@given(_RUNS, st.data())
def test_replays_change_nothing(steps: list[Step], data: st.DataObject) -> None:
    """A step that is told again, at any later moment, leads to no finding and changes
    none of those after it."""
    once = named(steps)
    detector, twice = Detector(), []
    for place, step in enumerate(once):
        twice.append(detector.step(step))
        for again in data.draw(st.lists(st.integers(0, place), max_size=3)):
            assert detector.step(once[again]) == []
    assert twice == judged(once)


@given(_RUNS, _RUNS, st.randoms())
def test_agents_are_judged_apart(
    one: list[Step], other: list[Step], random: Random
) -> None:
    """What one agent does changes nothing for another, however their steps mix, but for
    what a person says to both."""
    mine = [replace(step, agent="mine") for step in one]
    theirs = [replace(step, agent="theirs") for step in other]
    mixed, left = [], [list(mine), list(theirs)]
    while any(left):
        mixed.append(random.choice([steps for steps in left if steps]).pop(0))
    of_mine = [_essence(f) for told in judged(mixed) for f in told if f.agent == "mine"]
    assert of_mine == [_essence(f) for told in judged(mine) for f in told]


@given(_RUNS)
def test_episodes_are_told_once(steps: list[Step]) -> None:
    """Of each episode there is at most one finding per level and one end, in that
    order, and episodes are counted without gaps."""
    told = [found for each in judged(steps) for found in each]
    for kind in ("loop", "retry_storm"):
        of_kind = [found for found in told if found.kind == kind]
        numbers = [found.episode for found in of_kind]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(1, max(numbers, default=0) + 1))
        for number in set(numbers):
            ways = [(f.level, f.ongoing) for f in of_kind if f.episode == number]
            assert len(ways) == len(set(ways))
            assert ways == sorted(ways, key=_ORDER.__getitem__)


@given(_RUNS)
@settings(deadline=None, max_examples=20)
def test_memory_is_bounded(steps: list[Step]) -> None:
    """A run that is twenty times as long is remembered in no more space."""
    detector = Detector()
    sizes = []
    for repetition in range(20):
        for n, step in enumerate(steps):
            marked = replace(step, args_hash=f"{step.args_hash}{repetition}")
            detector.step(replace(marked, call_id=f"{repetition} {n}"))
        sizes.append(len(pickle.dumps(detector)))
    assert max(sizes) < 600_000


def test_an_episode_has_one_finding_whose_counters_grow() -> None:
    """A loop that goes on is one finding that counts on; after an escape a new loop is
    the second episode."""
    looped = turns([called("ls", ".", "a.py b.py and README.md")] * 9)
    detector = Detector()
    told = [found for step in looped for found in detector.step(step)]
    assert [(f.level, f.episode) for f in told] == [("suspected", 1), ("confirmed", 1)]
    [now] = detector.findings()
    assert (now.calls, now.first.tool_step, now.last.tool_step) == (8, 1, 8)
    assert "8 more calls of ls" in now.why


def test_what_a_finding_says() -> None:
    """A finding names pattern, period, the first repetition and where it was sure."""
    rounds = [called("cat", p, f"what is in {p}") for p in ("a", "b", "c")] * 5
    told = [f for each in judged(named(turns(rounds))) for f in each]
    found = [f for f in told if f.level == "confirmed"][-1]
    assert (found.pattern, found.period, found.first.tool_step) == ("cycle", 3, 3)
    assert found.first.call_id == "id 7"
    assert found.at.tool_step >= found.first.tool_step
    assert found.why.startswith("the same 3 calls over and over (cat)")


_ORDER = {
    ("suspected", True): 0,
    ("confirmed", True): 1,
    ("suspected", False): 2,
    ("confirmed", False): 2,
}


def _final(steps: list[Step]) -> list[Finding]:
    detector = Detector()
    for step in steps:
        detector.step(step)
    return detector.findings()


def _essence(found: Finding) -> tuple[object, ...]:
    return (found.kind, found.level, found.episode, found.ongoing, found.calls)
