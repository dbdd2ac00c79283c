"""Stalled runs of files: the other runs of their source and agent say what is usual."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from farthing.collector.watch.evaluate import evaluate
from farthing.collector.watch.labelled import LabelledRun
from farthing.economics.loops import Step
from tests.economics.loops.stuck import reworded

FEW = 20
LONG = reworded(90)


def run(name: str, steps: Sequence[Step], *, source: str = "here") -> LabelledRun:
    of = tuple(steps)
    return LabelledRun(name, source, "unknown", None, is_normal=True, steps=of)


def usual(number: int, *, source: str = "here") -> list[LabelledRun]:
    return [run(f"usual {n}", reworded(30), source=source) for n in range(number)]


def test_a_run_beyond_the_others_of_its_kind_is_stalled() -> None:
    """It is an alarm of its own kind at every level, counted apart from loops."""
    judged = evaluate([run("long", LONG), *usual(FEW)], level="confirmed")
    [alarm] = judged.alarms
    told = (alarm.trace_id, alarm.kind, alarm.level, alarm.at_tool_step > 45)
    assert told == ("long", "stalled", "suspected", True)
    score = judged.sources["here"]
    assert (score.stalled, score.flagged, score.false_alarms) == (1, 0, 0)
    assert score.to_json()["stalled_normal_per_1000"] == pytest.approx(1000 / 21)


@pytest.mark.parametrize(
    "others",
    [
        usual(FEW - 1),
        usual(FEW, source="elsewhere"),
        [*usual(FEW), run("as long", LONG)],
        [],
    ],
)
def test_a_run_is_compared_with_enough_others_of_its_kind(
    others: list[LabelledRun],
) -> None:
    """Never with itself, with runs of another source, or with fewer than twenty; where
    another run took as much, it is no surprise."""
    assert evaluate([run("long", LONG), *others], level="suspected").alarms == ()
