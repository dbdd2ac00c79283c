"""Budgets that processes share, as far as the collector granted them to this one.

A call takes its estimate from each budget that applies, out of what is granted. Where
that is not enough it waits for the collector's next answer, `PATIENCE_S` at most; the
exchange itself is another thread's (`link.py`). A collector that is away is waited for
once, and then no more until it answers again.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from farthing.economics.budgets import Account, Estimate, Taken, cancel_all, take_all
from farthing.economics.leases import (
    LARGEST_REPORT_BYTES,
    MOST_WORKS,
    Answer,
    Applies,
    Report,
    Stop,
)
from farthing.instrumentation.guard.leased import SharedBudget
from farthing.instrumentation.guard.runs import Run, tellable
from farthing.instrumentation.guard.settings import Action

PATIENCE_S: Final = 2.0
"""How long a call waits at most for what the collector says."""

FRESH_S: Final = 5.0
"""How long an answer holds: shorter than the collector keeps the lease for us
(`EXPIRES_S` in alerts/lease_book.py)."""

_IDLE_S: Final = 60.0
_USE_BYTES: Final = 256
"""What a budget takes in a report, at most."""
_WORK_BYTES: Final = LARGEST_REPORT_BYTES * 3 // 4
"""For runs and their budgets."""
_MOST_OTHERS: Final = (LARGEST_REPORT_BYTES - _WORK_BYTES) // _USE_BYTES - 4
"""So many budgets of other runs, which are over or wait, find room beside them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a call holds of shared budgets."""

    budgets: Sequence[SharedBudget] = ()
    taken: Sequence[Taken] = ()

    @property
    def accounts(self) -> list[Account]:
        return [budget.account for budget in self.budgets]

    @property
    def only_warns(self) -> bool:
        """Whether no budget in it may keep a call from being sent."""
        return all(budget.action is Action.WARN for budget in self.budgets)

    def cancel(self) -> None:
        """The call is not sent."""
        cancel_all(self.accounts, self.taken)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that `budget` has no room for, as it would hold `asked` femto-USD of it;
    None: nobody knows, the collector is away."""

    budget: SharedBudget | None = None
    asked: int = 0


class Limits(Protocol):
    """Who says what a call counts against besides its run's own limits."""

    @property
    def is_on(self) -> bool:
        """Whether there may be any."""

    def stop(self, run: Run) -> Stop | None:
        """The order that a run stops, if there is one."""

    def take(
        self, run: Run, estimate: Estimate, *, anyway: bool = False
    ) -> Hold | Refusal:
        """Hold a call's estimate in every budget that applies, or in none. May wait for
        `PATIENCE_S`; `anyway` does not, and is not refused."""

    def settled(self) -> None:
        """A call that held something has ended."""


class NoSharedLimits:
    """Nothing but the run's own account."""

    is_on = False

    def stop(self, run: Run) -> Stop | None:
        """None."""
        del run
        return None

    def take(self, run: Run, estimate: Estimate, *, anyway: bool = False) -> Hold:
        """Nothing."""
        del run, estimate, anyway
        return Hold()

    def settled(self) -> None:
        """Nobody wants to know."""


@dataclass(slots=True)
class _Work:
    """A run, what applies to it as far as known, and when it last made a call."""

    subjects: Mapping[str, str]
    applies: Applies | None
    called_s: float

    @property
    def report_bytes(self) -> int:
        """What it takes in a report, with its budgets."""
        budgets = self.applies.budgets if self.applies else ()
        return len(json.dumps(self.subjects)) + _USE_BYTES * len(budgets)


class SharedLimits:
    """What the collector said last, for the calls of all threads.

    `constant` are subjects of the whole process. `wake` is called when the collector
    should be asked: at once, or soon (`soon=True`). Whoever asks it takes `report`, and
    calls `answered` or `failed`.
    """

    is_on = True

    def __init__(
        self,
        constant: Mapping[str, str],
        *,
        wake: Callable[..., None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._constant = constant
        self._wake = wake
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Begin anew, as in a forked child: what the parent used is the parent's."""
        self._process = secrets.token_hex(16)
        self._changed = threading.Condition()
        self._works: dict[Run, _Work] = {}
        self._budgets: dict[str, SharedBudget] = {}
        self._asked_for: list[Run] = []
        self._reports = self._answers = self._waiting = 0
        self._answered_s: float | None = None
        self._is_away = False

    @property
    def has_waiting(self) -> bool:
        """Whether calls wait for an answer."""
        return self._waiting > 0

    def settled(self) -> None:
        self._wake(soon=True)

    def stop(self, run: Run) -> Stop | None:
        with self._changed:
            applies = self._work(run).applies
            return applies.stops[0] if applies and applies.stops else None

    def take(
        self, run: Run, estimate: Estimate, *, anyway: bool = False
    ) -> Hold | Refusal:
        with self._changed:
            found = self._try(run, estimate, anyway=anyway)
            if isinstance(found, Hold) and not anyway and self._is_over(found):
                found.cancel()
                found = Refusal()
            if isinstance(found, Refusal) and not self._is_away:
                found = self._waited(run, estimate, found)
            if isinstance(found, Refusal) and self._is_unknown(found):
                is_known = found.budget is not None and found.budget.is_used_up()
                return found if is_known else Refusal()
            return found

    def report(self) -> Report:
        """What to tell the collector now."""
        with self._changed:
            now_s = self._clock()
            self._reports += 1
            self._drop_works(now_s)
            self._asked_for = list(self._works)
            return Report(
                self._process,
                [self._works[run].subjects for run in self._asked_for],
                {key: self._budgets[key].use(now_s) for key in self._told_of()},
                self._reports,
            )

    def _drop_works(self, now_s: float) -> None:
        """Runs that are idle, and those called longest ago where there are too many for
        one report: they ask anew when they call."""
        recent = sorted(self._works, key=lambda run: -self._works[run].called_s)
        told_bytes = 0
        for position, run in enumerate(recent):
            work = self._works[run]
            told_bytes += work.report_bytes
            is_idle = now_s - work.called_s > _IDLE_S
            is_too_much = position >= MOST_WORKS or told_bytes > _WORK_BYTES
            if is_idle or (is_too_much and position):
                del self._works[run]

    def _told_of(self) -> list[str]:
        """Keys of the budgets of these runs; then of others, calls under way first."""
        applying = {
            key
            for work in self._works.values()
            if work.applies is not None
            for key in work.applies.budgets
        }
        others = sorted(
            self._budgets.keys() - applying,
            key=lambda key: -self._budgets[key].account.spent().held_femto_usd,
        )
        return [*(self._budgets.keys() & applying), *others[:_MOST_OTHERS]]

    def answered(self, answer: Answer) -> None:
        """What the collector says to the last report."""
        with self._changed:
            for run, applies in zip(self._asked_for, answer.applies, strict=True):
                self._works[run].applies = applies
            for key, lease in answer.leases.items():
                if key in self._budgets:
                    self._budgets[key].renew(lease)
                else:
                    self._budgets[key] = SharedBudget(lease)
            for key in self._budgets.keys() - answer.leases.keys():
                if not self._budgets[key].account.spent().held_femto_usd:
                    del self._budgets[key]
            self._answers, self._answered_s = self._reports, self._clock()
            self._is_away = False
            self._changed.notify_all()

    def failed(self) -> None:
        """The collector did not answer the last report."""
        with self._changed:
            self._is_away = True
            self._changed.notify_all()

    def _try(self, run: Run, estimate: Estimate, *, anyway: bool) -> Hold | Refusal:
        applies = self._work(run).applies
        if applies is None:
            return Hold() if anyway else Refusal()
        budgets = [self._budgets[key] for key in applies.budgets]
        holds = [b.holding(estimate) if not anyway else estimate for b in budgets]
        taken = take_all([b.account for b in budgets], holds, anyway=anyway)
        if not isinstance(taken, list):
            refused = taken.position
            return Refusal(budgets[refused], holds[refused].femto_usd)
        for budget, held in zip(budgets, holds, strict=True):
            budget.called(held.femto_usd, now_s=self._clock())
        if any(budget.is_running_out for budget in budgets):
            self._wake(soon=False)
        return Hold(budgets, taken)

    def _waited(self, run: Run, estimate: Estimate, found: Refusal) -> Hold | Refusal:
        """What `_try` says after the collector has answered, and again, until a budget
        is there, or is not there for good, or patience ends."""
        began_s = self._clock()
        deadline_s = began_s + PATIENCE_S
        while True:
            with self._asking(found.budget, found.asked):
                number = self._reports + 1  # one under way does not tell of this call

                def has_answer(number: int = number) -> bool:
                    return self._answers >= number or self._is_away

                left_s = deadline_s - self._clock()
                if not self._changed.wait_for(has_answer, max(left_s, 0.0)):
                    self._is_away = not self._has_answered_since(began_s)
                    return found
            if self._is_away:
                return found
            found_now = self._try(run, estimate, anyway=False)
            if isinstance(found_now, Hold):
                return found_now
            found = found_now
            if found.budget and found.budget.lease.is_refused:
                return found

    @contextmanager
    def _asking(self, budget: SharedBudget | None, femto_usd: int) -> Iterator[None]:
        """A call waits: what it lacks is asked for meanwhile."""
        self._waiting += 1
        if budget is not None:
            budget.asked += max(femto_usd, 1)
            budget.called(femto_usd, now_s=self._clock())
        self._wake(soon=False)
        try:
            yield
        finally:
            self._waiting -= 1
            if budget is not None:
                budget.asked -= max(femto_usd, 1)

    def _work(self, run: Run) -> _Work:
        work = self._works.get(run)
        if work is None:
            subjects = tellable({**self._constant, **run.subjects})
            work = self._works[run] = _Work(subjects, None, 0.0)
        work.called_s = self._clock()
        return work

    def _is_unknown(self, refusal: Refusal) -> bool:
        """Whether nobody knows what is left."""
        budget = refusal.budget
        is_unread = budget is not None and not budget.lease.is_read
        return self._is_away or self._is_old() or is_unread

    def _is_old(self) -> bool:
        """Whether what the collector said last holds no longer."""
        answered_s = self._answered_s
        return answered_s is not None and self._clock() - answered_s > FRESH_S

    def _is_over(self, hold: Hold) -> bool:
        """Whether what is held was leased for a time that is over: the collector may
        have given it to others."""
        return self._is_old() and not hold.only_warns

    def _has_answered_since(self, moment_s: float) -> bool:
        return self._answered_s is not None and self._answered_s >= moment_s
