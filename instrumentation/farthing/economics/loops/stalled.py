"""A weaker word than loop: a run that takes far more than its kind, and learns less.

What agents reword each time (searches, questions to other agents) no fingerprint sees.
But such a run leaves behind what runs of its kind ever took, its prompts grow, and what
comes back resembles ever more what came before. Each of the three alone is common.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from farthing.economics.loops.findings import Finding, Mark
from farthing.economics.loops.memory import bits_apart
from farthing.economics.loops.steps import Step

_FEWEST_RUNS: Final = 20
"""Of fewer runs a quantile says nothing."""
_FACTOR: Final = 1.5
"""One run of a hundred lies above the 99th percentile; half as much again is rare."""
_WINDOW: Final = 32
_BEFORE: Final = 16
_FALL: Final = 3
"""How many times rarer what is new has to be in the last calls than before them. Agents
that learn fall to a half now and then: while they edit and test."""
_REMEMBERED: Final = 48
_ALIKE_BITS: Final = 12
_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What runs of one task type and agent took: how many there were, and the 99th
    percentile of each measure. 0 is "not known".

    `calls` are tool calls, `tokens` those of model calls, input and output,
    `agent_calls` calls of other agents, `cost_femto_usd` money.
    """

    runs: int
    calls: int = 0
    tokens: int = 0
    agent_calls: int = 0
    cost_femto_usd: int = 0

    def beyond(self, taken: Taken) -> list[str]:
        """The measures in which a run is far beyond nearly all of its kind."""
        if self.runs < _FEWEST_RUNS:
            return []
        return [
            name
            for name in _WORDS
            if 0 < _FACTOR * getattr(self, name) < getattr(taken, name)
        ]

    def is_exceeded(self, taken: Taken) -> bool:
        """Whether that is so in two measures: one may have a reason of its own."""
        return len(self.beyond(taken)) > 1


class Taken(NamedTuple):
    """What a run took so far, in the measures of its `Baseline`."""

    calls: int = 0
    tokens: int = 0
    agent_calls: int = 0
    cost_femto_usd: int = 0

    @property
    def is_long(self) -> bool:
        """Whether it made enough calls, of tools and agents, for the last ones to be
        compared."""
        return self.calls + self.agent_calls >= _WINDOW + _BEFORE


class Stall:
    """Watches one run against the baseline of its kind.

    At most one finding per run, of kind `stalled` and level `suspected`: never a loop.
    """

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._seen: deque[tuple[str, str, str]] = deque(maxlen=_REMEMBERED)
        self._asked: deque[str] = deque(maxlen=_REMEMBERED)
        self._is_new: deque[bool] = deque(maxlen=_WINDOW)
        self._calls = 0
        self._steps = 0
        self._new = 0
        self._inputs: dict[str, tuple[int, int]] = {}
        self._finding: Finding | None = None

    def step(self, step: Step, taken: Taken) -> Finding | None:
        """The finding, at the step by which it is one. `taken`: up to this step."""
        self._steps += 1
        if step.kind == "llm" and step.input_tokens:
            self._prompted(step.agent, step.input_tokens)
        if step.kind != "tool":
            return None
        own = (step.name, step.args_simhash, step.result_simhash)
        is_new = not any(_alike(own, other) for other in self._seen)
        self._seen.append(own)
        return self._called(step.call_id, step.time_ns, taken, is_new=is_new)

    def asked(
        self, agent: str, taken: Taken, *, call_id: str, time_ns: int
    ) -> Finding | None:
        """The same of a call of another agent, of which only its name is known: it is
        new if that agent was not asked lately."""
        self._steps += 1
        is_new = agent not in self._asked
        self._asked.append(agent)
        return self._called(call_id, time_ns, taken, is_new=is_new)

    def _prompted(self, agent: str, tokens: int) -> None:
        first, _ = self._inputs.pop(agent, (tokens, 0))
        self._inputs[agent] = first, tokens
        if len(self._inputs) > _REMEMBERED:
            del self._inputs[next(iter(self._inputs))]

    def _called(
        self, call_id: str, time_ns: int | None, taken: Taken, *, is_new: bool
    ) -> Finding | None:
        self._calls += 1
        self._is_new.append(is_new)
        self._new += is_new
        if self._finding or not self._is_stalled(taken):
            return None
        mark = Mark(self._steps - 1, self._calls - 1, call_id, time_ns)
        self._finding = self._found(taken, mark)
        return self._finding

    def _is_stalled(self, taken: Taken) -> bool:
        if not (taken.is_long and self._baseline.is_exceeded(taken)):
            return False
        now = sum(self._is_new) / _WINDOW
        before = (self._new - sum(self._is_new)) / (self._calls - _WINDOW)
        grows = any(last >= _GROWTH * first for first, last in self._inputs.values())
        return grows and _FALL * now <= before

    def _found(self, taken: Taken, mark: Mark) -> Finding:
        beyond = ", ".join(
            f"{_WORDS[name]} {getattr(taken, name) / getattr(self._baseline, name):.1f}"
            for name in self._baseline.beyond(taken)
        )
        old = _WINDOW - sum(self._is_new)
        return Finding(
            kind="stalled",
            level="suspected",
            pattern="slow",
            agent="",
            episode=1,
            ongoing=True,
            period=0,
            calls=self._calls,
            first=mark,
            last=mark,
            at=mark,
            score=old / _WINDOW,
            why=f"times what 99 of 100 such runs take: {beyond}; {old} of the last"
            f" {_WINDOW} calls resemble earlier ones, and prompts grow",
        )


_WORDS: Final = {
    "calls": "calls",
    "tokens": "tokens",
    "agent_calls": "calls of agents",
    "cost_femto_usd": "cost",
}


def _alike(own: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Whether two calls of one tool ask, or are answered, nearly the same."""
    return own[0] == other[0] and any(
        bits_apart(one, that) <= _ALIKE_BITS
        for one, that in zip(own[1:], other[1:], strict=True)
    )
