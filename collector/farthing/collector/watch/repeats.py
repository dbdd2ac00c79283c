"""Which runs are worth a closer look: those in which something is there three times.

Kept in memory, bounded; what was forgotten, or was never known after a start, is read
from the ledger again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from farthing.economics.loops import Taken

_THRICE: Final = 3
_KEYS_MOST: Final = 1_000_000
"""About 100 MB: 10,000 runs of 100 keys, of which the oldest are forgotten. A run takes
the room of a few keys itself."""
_KEYS_OF_RUN: Final = 4
_KEYS_OF_RUN_MOST: Final = 50_000
"""A run that has more is always worth a closer look, which takes less room."""
_FEMTO: Final = 10**15


class Brought(NamedTuple):
    """What some entries of a run took, and what their steps may repeat: a row of
    sql/keys.sql, whose columns these are, in their order."""

    run_id: str
    spans: int
    calls_of_tools: int
    calls_of_agents: int
    tokens: int
    spent_usd: str
    of_type: str
    first_agent: tuple[int, int, str]
    first_us: int
    last_us: int
    keys: Sequence[int]
    handing: int


@dataclass(slots=True)
class Standing:
    """What is known of a run: how often each key was there, and what it took. Nothing
    of it was loaded before `loaded_since_s`, where that is known."""

    counts: Counter[int] = field(default_factory=Counter)
    last_us: int = 0
    loaded_since_s: int | None = None
    has_repeats: bool = False
    has_findings: bool = False
    is_always_looked_at: bool = False
    task_type: str = ""
    first_agent: tuple[int, int, str] | None = None
    began_us: int = 0
    calls: int = 0
    agent_calls: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    @property
    def agent(self) -> str:
        """Its first agent; empty while none was told."""
        return self.first_agent[2] if self.first_agent else ""

    @property
    def is_long(self) -> bool:
        """Whether it made enough calls to be compared with others."""
        return Taken(calls=self.calls, agent_calls=self.agent_calls).is_long

    @property
    def taken(self) -> Taken:
        """What it took, in the measures of a baseline."""
        return Taken(
            calls=self.calls,
            tokens=self.tokens,
            agent_calls=self.agent_calls,
            cost_femto_usd=int(self.cost_usd * _FEMTO),
        )

    def add(self, brought: Brought) -> None:
        """Add what further entries took."""
        self.task_type = max(self.task_type, brought.of_type)
        if brought.first_agent[2]:
            first = brought.first_agent
            self.first_agent = min(self.first_agent or first, first)
        self.began_us = min(self.began_us or brought.first_us, brought.first_us)
        self.calls += brought.calls_of_tools
        self.agent_calls += brought.calls_of_agents
        self.tokens += brought.tokens
        self.cost_usd += Decimal(brought.spent_usd)


class Repeats:
    """Counts what the steps of runs repeat; keys are numbers, of sql/keys.sql."""

    def __init__(self, *, keys_most: int = _KEYS_MOST) -> None:
        self._runs: OrderedDict[str, Standing] = OrderedDict()
        self._keys = 0
        self._keys_most = keys_most

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def get(self, run_id: str) -> Standing | None:
        """What is known of a run; None if that was forgotten."""
        return self._runs.get(run_id)

    def count(self, brought: Brought) -> bool:
        """Add new entries of a run; whether they can change what is found in it."""
        run = self._known(brought.run_id)
        run.add(brought)
        before = len(run.counts)
        is_hot = run.is_always_looked_at or _add(run, brought.keys)
        self._keys += len(run.counts) - before
        # A step that comes late can part what seemed to be one turn.
        is_late = brought.first_us < run.last_us
        run.last_us = max(run.last_us, brought.last_us)
        self._forget_oldest()
        return is_hot or run.has_findings or (is_late and run.has_repeats)

    def look_always(self, run_id: str) -> None:
        """Count nothing of a run: it is too long, and always worth a look."""
        self._known(run_id).is_always_looked_at = True

    def note_findings(self, run_id: str) -> None:
        """What comes to a run in which something was found may change that."""
        if run_id in self._runs:
            self._runs[run_id].has_findings = True

    def _known(self, run_id: str) -> Standing:
        if run_id not in self._runs:
            self._runs[run_id] = Standing()
            self._keys += _KEYS_OF_RUN
        self._runs.move_to_end(run_id)
        return self._runs[run_id]

    def _forget_oldest(self) -> None:
        while self._keys > self._keys_most and len(self._runs) > 1:
            _, run = self._runs.popitem(last=False)
            self._keys -= len(run.counts) + _KEYS_OF_RUN


def _add(run: Standing, keys: Sequence[int]) -> bool:
    run.counts.update(keys)
    is_hot = max(map(run.counts.__getitem__, keys), default=0) >= _THRICE
    run.has_repeats = run.has_repeats or is_hot
    if len(run.counts) > _KEYS_OF_RUN_MOST:
        run.counts.clear()
        run.is_always_looked_at = True
    return is_hot or run.is_always_looked_at
