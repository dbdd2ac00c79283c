"""Sees when an agent stops making progress: the same in the agent and the collector.

    detector = Detector()
    for step in steps:                       # of one run, as they began
        for finding in detector.step(step):  # opened, raised or ended by this step
            ...
    detector.findings()                      # those that go on, as of now

Pure and incremental: no clock, no I/O; memory and time per step do not grow with the
run. `docs/loops.md` says what a loop is and how it is seen.
"""

from farthing.economics.loops.detector import Detector
from farthing.economics.loops.findings import Finding, Kind, Level, Mark, Pattern
from farthing.economics.loops.stalled import Baseline, Stall, Taken
from farthing.economics.loops.steps import Step, StepKind
from farthing.economics.loops.tuning import Tuning

__all__ = [
    "Baseline",
    "Detector",
    "Finding",
    "Kind",
    "Level",
    "Mark",
    "Pattern",
    "Stall",
    "Step",
    "StepKind",
    "Taken",
    "Tuning",
]
