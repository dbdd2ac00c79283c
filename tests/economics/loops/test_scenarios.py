"""Each run that detectors are known to judge wrongly is judged as it is due."""

from __future__ import annotations

import pytest

from farthing.economics.loops import Detector, Finding
from tests.economics.loops.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_verdict(scenario: Scenario) -> None:
    """A scenario's confirmed findings are the ones that are due, each told once."""
    detector = Detector()
    told = [found for step in scenario.steps for found in detector.step(step)]
    assert "+".join(found.kind for found in told if _is_alarm(found)) == scenario.due


def _is_alarm(found: Finding) -> bool:
    return found.level == "confirmed" and found.ongoing
