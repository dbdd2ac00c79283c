"""What detectors got wrong, or must get right, as runs with the verdict that is due.

Most are from complaints about shipped detectors; the name of each tells the case.
"""

from __future__ import annotations

from tests.economics.loops import healthy, stuck
from tests.economics.loops.scenario import SCENARIOS, Scenario, page

__all__ = ["SCENARIOS", "Scenario", "healthy", "page", "stuck"]
