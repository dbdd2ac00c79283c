"""The detector of one run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from farthing.economics.loops.findings import Finding, Mark
from farthing.economics.loops.lane import Lane
from farthing.economics.loops.memory import Repeat
from farthing.economics.loops.steps import Step
from farthing.economics.loops.tuning import Tuning

_TUNING: Final = Tuning()
_IDS: Final = 1024
"""How many steps back a replay is recognised."""
_AGENTS: Final = 64


class Detector:
    """Judges the steps of one run, told in the order in which they began.

    Who tells them sorts them: a step that began earlier than one that was told already
    is judged as if it came now. A step that is told again (by its `call_id`) counts
    once. What a step leads to depends on the steps before it, on nothing else.
    """

    def __init__(self, tuning: Tuning = _TUNING) -> None:
        self._tuning = tuning
        self._lanes: dict[str, Lane] = {}
        self._newest: tuple[str, Lane] | None = None
        self._steps = 0
        self._tool_steps = 0
        self._ids: dict[str, None] = {}

    def step(self, step: Step) -> list[Finding]:
        """The findings that this step opened, raised to a level, or ended."""
        if self._is_replay(step.call_id):
            return []
        mark = Mark(self._steps, self._tool_steps, step.call_id, step.time_ns)
        self._steps += 1
        self._tool_steps += step.kind == "tool"
        if step.kind == "user" and not step.agent:
            lanes = list(self._lanes.values())
            return [found for lane in lanes for found in lane.step(step, mark)]
        if self._newest is not None and self._newest[0] == step.agent:
            return self._newest[1].step(step, mark)
        lane = self._lane(step.agent)
        return self._left() + lane.step(step, mark)

    def findings(self) -> list[Finding]:
        """The findings that go on, with what is known by now."""
        return [found for lane in self._lanes.values() for found in lane.findings()]

    def marks(self) -> Iterator[Mark]:
        """The steps, of those told so far, that findings to come may name."""
        for lane in self._lanes.values():
            yield from lane.marks()

    def score(self, agent: str = "") -> float:
        """How much an agent repeats itself now: what is compared to the levels."""
        lane = self._lanes.get(agent)
        return lane.score if lane else 0.0

    def repeat(self, agent: str = "") -> Repeat | None:
        """What an agent's last step repeated, or None: to explain a score."""
        lane = self._lanes.get(agent)
        return lane.repeat if lane else None

    def _is_replay(self, call_id: str) -> bool:
        if not call_id:
            return False
        if call_id in self._ids:
            return True
        self._ids[call_id] = None
        if len(self._ids) > _IDS:
            del self._ids[next(iter(self._ids))]
        return False

    def _lane(self, agent: str) -> Lane:
        lane = self._lanes.pop(agent, None) or Lane(agent, self._tuning)
        self._lanes[agent] = lane
        self._newest = (agent, lane)
        return lane

    def _left(self) -> list[Finding]:
        """Forget the agent that was silent longest, if there are too many."""
        if len(self._lanes) <= _AGENTS:
            return []
        return self._lanes.pop(next(iter(self._lanes))).end()
