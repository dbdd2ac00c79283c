"""Answers guards: which budgets and orders apply to their work, and what they may use.

In memory, between two readings of the ledger (`update`; `learn` for runs, of which
only those are looked up that guards ask for). A collector that begins anew learns what
is leased from the guards' next reports, within a second. What they spent and the ledger
does not have yet waits in the spool: until that is loaded, budgets count as not read.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from farthing.alerts.budgets import Budget
from farthing.alerts.declared import StopOrder
from farthing.alerts.lease_book import Granted, LeaseAccount
from farthing.alerts.spent import Used
from farthing.economics.leases import (
    Answer,
    Applies,
    Lease,
    Report,
    Stop,
    Use,
)
from farthing.errors import BadPayload, Overloaded

_NO_USE: Final = Use()
_LATEST_S: Final = 60.0
"""So long after a process's last report an earlier one may still be on its way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the ledger says at a moment: `used` of budgets with windows."""

    at: datetime
    budgets: Sequence[Budget]
    used: Sequence[Used]
    lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Budget:
    """A budget of one subject in its window."""

    budget: Budget
    who: str
    begins_at_s: int = 0
    ends_at_s: int = 0

    @property
    def key(self) -> str:
        return _key(self.budget.name, self.who, self.begins_at_s)


@dataclass(frozen=True, slots=True)
class _Open:
    """An account, and whose: `run_id` where it is a run's."""

    account: LeaseAccount
    budget: str
    run_id: str | None


class SharedBudgets:
    """Safe to use from several threads; no call waits for anything. `wake` is called
    where a run is new, of which the ledger is to be asked (`learn`)."""

    def __init__(
        self,
        *,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wake = wake
        self._clock = clock
        self._began_s = clock()
        self._is_behind = False
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._windows: Sequence[_Budget] = ()
        self._orders: Sequence[StopOrder] = ()
        self._spent: Mapping[str, int] = {}
        self._open: dict[str, _Open] = {}
        self._numbers: dict[str, tuple[int, float]] = {}

    def run_ids(self, *, unread: bool = False) -> list[str]:
        """The runs of whose spend `learn` is to tell; those alone that nobody looked
        up yet."""
        with self._lock:
            return sorted(
                {
                    each.run_id
                    for each in self._open.values()
                    if each.run_id is not None
                    and not (unread and each.account.is_looked_up)
                }
            )

    def learn(self, runs: Mapping[str, Decimal], *, lag_s: float = 0.0) -> None:
        """What the ledger says that runs spent, in USD."""
        now_s = self._clock()
        with self._lock:
            for each in self._open.values():
                if each.run_id is not None and each.run_id in runs:
                    each.account.is_behind = self._lacks_what_was(lag_s)
                    each.account.counted(_femto(runs[each.run_id]))
                    each.account.forget(now_s=now_s, lag_s=lag_s)

    def release(self) -> None:
        """Give what processes leased that went silent to others: they may end while
        the ledger cannot be read."""
        now_s = self._clock()
        with self._lock:
            for key, each in list(self._open.items()):
                each.account.release(now_s=now_s)
                if each.account.is_idle:
                    del self._open[key]
            self._numbers = {
                process: (number, at_s)
                for process, (number, at_s) in self._numbers.items()
                if at_s > now_s - _LATEST_S
            }

    def order(self, orders: Sequence[StopOrder]) -> None:
        """The orders that hold from now on."""
        with self._lock:
            self._orders = orders

    def update(self, reading: Reading) -> None:
        """Take a newer reading."""
        spent = {
            _key(line.budget, line.who, int(line.begins_at.timestamp())): _femto(
                line.pessimistic_usd
            )
            for line in reading.used
        }
        limits = {each.name: _femto(each.limit_usd) for each in reading.budgets}
        windows = [_window(budget, reading.at) for budget in reading.budgets]
        now_s = self._clock()
        with self._lock:
            self._reading, self._windows, self._spent = reading, windows, spent
            self._is_behind = self._lacks_what_was(reading.lag_s)
            for key, each in self._open.items():
                account = each.account
                account.limit = limits.get(each.budget, account.limit)
                if each.run_id is None:
                    account.is_behind = self._is_behind
                    account.counted(spent.get(key, 0))
                    account.forget(now_s=now_s, lag_s=reading.lag_s)

    def answer(self, body: bytes) -> bytes:
        """The answer to a guard's report, as JSON. Raises BadPayload for what is none,
        Overloaded before the first reading."""
        try:
            report = Report.from_json(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise BadPayload(f"this is no report of a guard: {error}") from None
        with self._lock:
            if self._reading is None:
                raise Overloaded(
                    "what is spent of budgets is not known yet", retry_after_s=1
                )
            self._check_order(report)
            told = self._answered(report)
            opened = (self._open[key].account for key in told.leases)
            is_new = not all(account.is_looked_up for account in opened)
        if is_new:
            self._wake()
        return json.dumps(told.to_json()).encode()

    def _check_order(self, report: Report) -> None:
        """Raises BadPayload for a report that a later one overtook: what it says of
        amounts is old, and its process waits for no answer any more."""
        last, _ = self._numbers.get(report.process, (0, 0.0))
        if report.number < last:
            raise BadPayload(
                f"report {report.number} of this process comes after report {last}"
            )
        self._numbers[report.process] = (report.number, self._clock())

    def _answered(self, report: Report) -> Answer:
        applies, leases = [], {}
        for subjects in report.works_for:
            budgets = list(_applying(subjects, self._windows))
            orders = (each for each in self._orders if each.fits(subjects))
            stops = [Stop(order.by, order.reason) for order in orders]
            keys = [each.key for each in budgets]
            applies.append(Applies(keys, stops))
            for key, each in zip(keys, budgets, strict=True):
                if key not in leases:
                    leases[key] = self._lease(key, each, report)
        for key in report.uses.keys() - leases.keys():
            if key in self._open:  # its runs are over, what they spent counts
                self._report(key, report)
        return Answer(applies, leases)

    def _lacks_what_was(self, lag_s: float) -> bool:
        """Whether something waits for the ledger since before we began: guards told an
        earlier process of it, not us."""
        return lag_s > self._clock() - self._began_s

    def _lease(self, key: str, each: _Budget, report: Report) -> Lease:
        budget = each.budget
        if key not in self._open:
            self._open[key] = self._opened(key, each)
        account = self._open[key].account
        granted = self._report(key, report)
        return Lease(
            budget=budget.name,
            of=budget.of,
            who=each.who,
            window=budget.window,
            action=budget.action,
            limit=account.limit,
            spent=account.spent,
            granted=granted.total,
            ends_at_s=each.ends_at_s,
            is_refused=granted.is_refused,
            is_tight=granted.is_tight,
            is_read=account.is_read,
        )

    def _opened(self, key: str, each: _Budget) -> _Open:
        """A new account. Of windows the last reading had everybody who spent."""
        limit, is_run = _femto(each.budget.limit_usd), each.budget.of == "run"
        in_ledger = None if is_run else self._spent.get(key, 0)
        account = LeaseAccount(limit, in_ledger, is_behind=self._is_behind)
        return _Open(account, each.budget.name, each.who if is_run else None)

    def _report(self, key: str, report: Report) -> Granted:
        use = report.uses.get(key, _NO_USE)
        account = self._open[key].account
        return account.report(report.process, use, now_s=self._clock())


def _window(budget: Budget, at: datetime) -> _Budget:
    """The window of a budget around a moment, whoever it is for."""
    if budget.of == "run":
        return _Budget(budget, budget.who)
    begin, end = budget.period(at)
    return _Budget(budget, budget.who, int(begin.timestamp()), int(end.timestamp()))


def _applying(
    subjects: Mapping[str, str], windows: Sequence[_Budget]
) -> Iterator[_Budget]:
    """The budgets that count what is spent for these subjects."""
    told = {**subjects, "everything": "everything"}
    for window in windows:
        budget = window.budget
        if budget.of == "run":
            who, wanted = told.get("run_id"), told.get("task_type")
        else:
            who = wanted = told.get(budget.of)
        if who and budget.who in ("*", wanted):
            yield replace(window, who=who)


def _key(name: str, who: str, begins_at_s: int) -> str:
    """A budget's key for guards: of one length, however long the names are."""
    told = json.dumps([name, who, begins_at_s])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _femto(usd: Decimal) -> int:
    return int(usd.scaleb(15))
