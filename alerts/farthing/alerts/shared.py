"""Answers guards: which budgets and orders apply to their work, and what they may use.

In memory, between two readings of the ledger (`update`). A collector that begins anew
learns what is leased from the guards' next reports, within a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from farthing.alerts.budgets import Budget
from farthing.alerts.declared import StopOrder
from farthing.alerts.lease_book import LeaseAccount
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What the ledger and the operators say at a moment: `used` of budgets with
    windows, `runs` the USD spent by run."""

    at: datetime
    budgets: Sequence[Budget]
    used: Sequence[Used]
    runs: Mapping[str, Decimal]
    orders: Sequence[StopOrder]
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


class SharedBudgets:
    """Safe to use from several threads; no call waits for anything."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._spent: Mapping[str, int] = {}
        self._accounts: dict[str, LeaseAccount] = {}
        self._run_of: dict[str, str] = {}

    def run_ids(self) -> list[str]:
        """The runs of whose spend the next reading is to tell."""
        with self._lock:
            return sorted(set(self._run_of.values()))

    def update(self, reading: Reading) -> None:
        """Take a newer reading."""
        spent = {
            _key(line.budget, line.who, int(line.begins_at.timestamp())): _femto(
                line.pessimistic_usd
            )
            for line in reading.used
        }
        limits = {each.name: _femto(each.limit_usd) for each in reading.budgets}
        with self._lock:
            for key, run_id in self._run_of.items():
                spent[key] = _femto(reading.runs.get(run_id, Decimal(0)))
            self._reading, self._spent = reading, spent
            for key, account in list(self._accounts.items()):
                account.counted(
                    spent.get(key, 0), now_s=self._clock(), lag_s=reading.lag_s
                )
                account.limit = limits.get(json.loads(key)[0], account.limit)
                if account.is_idle:
                    del self._accounts[key]
                    self._run_of.pop(key, None)

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
            told = self._answered(report, self._reading)
        return json.dumps(told.to_json()).encode()

    def _answered(self, report: Report, reading: Reading) -> Answer:
        applies, leases = [], {}
        for subjects in report.works_for:
            budgets = list(_applying(subjects, reading))
            orders = (each for each in reading.orders if each.fits(subjects))
            stops = [Stop(order.by, order.reason) for order in orders]
            applies.append(Applies([each.key for each in budgets], stops))
            for each in budgets:
                if each.key not in leases:
                    leases[each.key] = self._lease(each, report)
        for key in report.uses.keys() - leases.keys():
            if key in self._accounts:  # its runs are over, what they spent counts
                self._report(key, report)
        return Answer(applies, leases)

    def _lease(self, each: _Budget, report: Report) -> Lease:
        budget, key = each.budget, each.key
        if key not in self._accounts:
            self._accounts[key] = LeaseAccount(
                _femto(budget.limit_usd), self._spent.get(key, 0)
            )
            if budget.of == "run":
                self._run_of[key] = each.who
        account = self._accounts[key]
        granted = account.report(
            report.process, report.uses.get(key, _NO_USE), now_s=self._clock()
        )
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
        )

    def _report(self, key: str, report: Report) -> None:
        use = report.uses[key]
        self._accounts[key].report(report.process, use, now_s=self._clock())


def _applying(subjects: Mapping[str, str], reading: Reading) -> Iterator[_Budget]:
    """The budgets that count what is spent for these subjects."""
    told = {**subjects, "everything": "everything"}
    for budget in reading.budgets:
        if budget.of == "run":
            if "run_id" in told and budget.who in ("*", told.get("task_type")):
                yield _Budget(budget, told["run_id"])
        elif (who := told.get(budget.of)) and budget.who in ("*", who):
            begin, end = budget.period(reading.at)
            yield _Budget(budget, who, int(begin.timestamp()), int(end.timestamp()))


def _key(name: str, who: str, begins_at_s: int) -> str:
    return json.dumps([name, who, begins_at_s])


def _femto(usd: Decimal) -> int:
    return int(usd.scaleb(15))
