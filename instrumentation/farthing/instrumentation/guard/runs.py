"""The runs that a guard watches, by their id."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from farthing.economics.budgets import Account
from farthing.economics.leases import is_text
from farthing.instrumentation.fingerprints.teller import Result
from farthing.instrumentation.guard.loops import LoopWatch
from farthing.instrumentation.guard.settings import GuardSettings, Rules
from farthing.instrumentation.watching.once import Once

MOST_RUNS: Final = 10_000
"""Runs that are remembered; the one that was idle longest is forgotten first."""

_MOST_RESULTS: Final = 4_096
_UNTOLD: Final = Once()
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """Whose call it is. `id` is the task's, or "" where no task is named: all such
    calls of a process are one run. The others are for budgets that processes share."""

    id: str = ""
    task_type: str = ""
    business_unit: str = ""
    team: str = ""
    user: str = ""

    @property
    def subjects(self) -> dict[str, str]:
        """What is known, by the ledger's names (`SUBJECTS` of economics/leases.py)."""
        told = {
            "run_id": self.id,
            "task_type": self.task_type,
            "business_unit": self.business_unit,
            "team": self.team,
            "user": self.user,
        }
        return {name: value for name, value in told.items() if value}


def tellable(subjects: Mapping[str, str]) -> Mapping[str, str]:
    """Those that a collector can be told; the others are logged once. One that it would
    refuse must not take the whole process's budgets with it."""
    told = {name: who for name, who in subjects.items() if is_text(who)}
    for name in subjects.keys() - told.keys():
        if _UNTOLD.is_new(name):
            _logger.warning(
                "guard: the %s of a run is too long, or no Unicode: shared budgets of"
                " it, and orders by it, do not hold",
                name,
            )
    return told


@dataclass(slots=True)
class RunState:
    """What is known of one run. `told` are the notices that were given: each is given
    once. `is_handed_back`: the one call in which the agent may wrap up was sent.
    `unbounded`: the calls under way, by `id`, that set no bound on their output."""

    run: Run
    rules: Rules
    account: Account
    loops: LoopWatch
    told: set[tuple[str, ...]] = field(default_factory=set)
    is_handed_back: bool = False
    unbounded: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def forked(self) -> None:
        """This process is a forked child: calls under way are the parent's, and so is a
        thread that held a lock."""
        self.lock = threading.Lock()
        self.unbounded.clear()
        self.account.forked()
        self.loops.forked()

    def first(self, *notice: str) -> bool:
        """Whether this notice was not given yet; it is from now on."""
        with self.lock:
            if notice in self.told:
                return False
            self.told.add(notice)
            return True

    def forget(self, tool: str) -> None:
        """A tool works again: if it fails later, that is news."""
        with self.lock:
            self.told = {notice for notice in self.told if notice[-1] != tool}

    def hand_back(self) -> bool:
        """Whether the wrap-up call is still to be had; it is not from now on."""
        with self.lock:
            had, self.is_handed_back = self.is_handed_back, True
            return not had

    def begin_unbounded(self, call: object) -> bool:
        """A call without a bound on its output is about to be sent; whether no other
        one is under way."""
        with self.lock:
            is_alone = not self.unbounded
            self.unbounded.add(id(call))
            return is_alone

    def end_unbounded(self, call: object) -> None:
        """It has ended, or was not sent; of a call with a bound, nothing."""
        with self.lock:
            self.unbounded.discard(id(call))

    def new(self, results: Iterable[Result]) -> list[Result]:
        """The tool results that no earlier call told: a request may be sent again, and
        its history be handed to a sub-agent."""
        with self.lock:
            found = [r for r in results if r.call_id not in self._seen]
            self._seen.update((result.call_id, None) for result in found)
            while len(self._seen) > _MOST_RESULTS:
                self._seen.popitem(last=False)
            return found


class Runs:
    """The states of runs, made when a run is first seen."""

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._states: OrderedDict[str, RunState] = OrderedDict()
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()
        for state in self._states.values():
            state.forked()

    def state(self, run: Run) -> RunState:
        """A run's state. Its type is the one it was first seen with: a sub-task of
        another type inside a run spends the run's budget."""
        with self._lock:
            state = self._states.get(run.id)
            if state is None:
                rules = self._settings.rules(run.task_type)
                state = RunState(run, rules, Account(rules.limits), LoopWatch())
                self._states[run.id] = state
                while len(self._states) > MOST_RUNS:
                    self._states.popitem(last=False)
            self._states.move_to_end(run.id)
            return state

    def reset(self, run_id: str) -> None:
        """Forget a run: its next call starts a new budget."""
        with self._lock:
            self._states.pop(run_id, None)


CurrentRun = Callable[[], Run]
