"""One shared budget, and what this process has used of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from farthing.economics.budgets import Account, Estimate, RunLimits
from farthing.economics.leases import Lease, Use
from farthing.instrumentation.guard.settings import Action

_BUSY_S: Final = 5.0
_SHORTEST_S: Final = 0.1
_LONGEST_S: Final = 60.0
_CALM_PERCENT: Final = 70


class SharedBudget:
    """A budget of one subject in its window.

    `account` holds this process to what is granted; one that only warns holds it to
    nothing. `asked` is what calls that wait would hold.
    """

    def __init__(self, lease: Lease) -> None:
        self.account = Account(RunLimits())
        self.asked = 0
        self._dearest = 0
        self._pace_per_s = 0
        self._spent = 0
        self._called_s = self._reported_s = float("-inf")
        self._wanted = 0
        self.renew(lease)

    @property
    def action(self) -> Action:
        """What its end means."""
        return Action(self.lease.action)

    @property
    def standing(self) -> Lease:
        """What the collector said last, with what was spent here since it was asked."""
        news = max(0, self.account.spent().femto_usd - self._spent)
        return replace(self.lease, spent=self.lease.spent + news)

    def holding(self, estimate: Estimate) -> Estimate:
        """What a call is to hold of it. Where nothing bounds the answer, that is the
        most that it can cost, or all that is left: so while one call may pass the
        budget, no other process has any of it for a second one."""
        most = estimate.most_femto_usd
        if self.action is Action.WARN or most <= estimate.femto_usd:
            return estimate
        lease = self.standing
        left = lease.limit - lease.spent - self.account.spent().held_femto_usd
        return replace(estimate, femto_usd=max(estimate.femto_usd, min(most, left)))

    def is_used_up(self) -> bool:
        """Whether nothing of it is left until its window ends."""
        lease = self.standing
        is_over = 0 < lease.ends_at_s <= time.time()
        return lease.spent >= lease.limit and not is_over

    @property
    def is_running_out(self) -> bool:
        """Whether more than half of what is wanted in hand is gone, and there is more
        to be had."""
        limit = self.account.limits.femto_usd
        if limit is None or self.lease.is_tight:
            return False
        spent = self.account.spent()
        left = limit - spent.femto_usd - spent.held_femto_usd
        return left < self._wanted // 2

    def renew(self, lease: Lease) -> None:
        """What the collector says now."""
        self.lease = lease
        if self.action is Action.WARN:
            self.account.set_limits(RunLimits())
        else:
            self.account.set_limits(RunLimits(femto_usd=lease.granted))

    def called(self, femto_usd: int, *, now_s: float) -> None:
        """A call holds so much, or waits for it."""
        self._dearest = max(self._dearest, femto_usd)
        self._called_s = now_s

    def use(self, now_s: float) -> Use:
        """What to report. What is granted and not wanted is given back before that, so
        that no call can use it meanwhile."""
        self._wanted = self._wants(now_s)
        if self.action is Action.WARN:
            spent = self.account.spent()
            used = spent.femto_usd + spent.held_femto_usd
            return Use(spent.femto_usd, spent.held_femto_usd, granted=used)
        spent = self.account.spent()
        in_hand = 0 if self.lease.is_tight else self._wanted
        keeps = spent.femto_usd + spent.held_femto_usd + in_hand
        granted = min(self.account.limits.femto_usd or 0, keeps)
        self.account.set_limits(RunLimits(femto_usd=granted))
        spent = self.account.spent()
        return Use(
            spent=spent.femto_usd,
            held=spent.held_femto_usd,
            granted=max(granted, spent.femto_usd + spent.held_femto_usd),
            asked=self.asked,
            wanted=self._wanted,
        )

    def _wants(self, now_s: float) -> int:
        """What the next second may take: two calls, and the pace so far. Nothing where
        no call was made lately."""
        spent = self.account.spent().femto_usd
        elapsed_s = min(max(now_s - self._reported_s, _SHORTEST_S), _LONGEST_S)
        pace_per_s = (spent - self._spent) * 1000 // int(elapsed_s * 1000)
        self._pace_per_s = max(pace_per_s, self._pace_per_s * _CALM_PERCENT // 100)
        self._spent, self._reported_s = spent, now_s
        if now_s - self._called_s > _BUSY_S:
            self._dearest = 0
            return 0
        return 2 * self._dearest + self._pace_per_s
