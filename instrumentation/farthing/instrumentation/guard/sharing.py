"""What the guard does about budgets that processes share, as it does about a run's own:
warn, stop, or hand back."""

from __future__ import annotations

from farthing.economics.budgets import NEAR_PERCENT, Estimate
from farthing.economics.leases import Lease
from farthing.instrumentation.calls import ModelCall
from farthing.instrumentation.forms import Form
from farthing.instrumentation.guard import wording
from farthing.instrumentation.guard.notices import tell
from farthing.instrumentation.guard.runs import Run, RunState
from farthing.instrumentation.guard.settings import Action
from farthing.instrumentation.guard.shared import Hold, Limits


class SharedRules:
    """Takes calls from shared budgets. `on_unknown`: warn, or stop, while nobody knows
    what is left of them."""

    def __init__(self, limits: Limits, on_unknown: Action) -> None:
        self.limits = limits
        self._on_unknown = on_unknown

    def take(
        self,
        call: ModelCall,
        form: Form | None,
        state: RunState,
        *,
        run: Run,
        estimate: Estimate,
    ) -> Hold:
        """Hold the call's estimate in each budget. Raises RunStopped where the call
        must not be sent."""
        found = self.limits.take(run, estimate)
        stop = self.limits.stop(run)
        if stop is not None:
            if isinstance(found, Hold):
                found.cancel()
            raise wording.stopped(run, stop)
        if not isinstance(found, Hold):
            if found.budget is None:
                self._at_unknown(state, run)
            else:
                lease = found.budget.standing
                is_bound = found.asked <= estimate.femto_usd
                self._at_limit(
                    call, form, state, lease=lease, asked=found.asked, is_bound=is_bound
                )
            found = self.limits.take(run, estimate, anyway=True)
            assert isinstance(found, Hold)
        for budget in found.budgets:
            self._tell(state, run, budget.standing)
        return found

    def _at_unknown(self, state: RunState, run: Run) -> None:
        if state.first("unknown"):
            tell(wording.unknown_notice(run, self._on_unknown))
        if self._on_unknown is Action.STOP:
            raise wording.is_unknown(run)

    def _at_limit(
        self,
        call: ModelCall,
        form: Form | None,
        state: RunState,
        *,
        lease: Lease,
        asked: int,
        is_bound: bool,
    ) -> None:
        if state.first("reached", lease.budget, lease.who):
            notice = wording.shared_notice(state.run, lease, reached=True, asked=asked)
            tell(notice)
        hands_back = Action(lease.action) is Action.HANDBACK and form is not None
        if hands_back and form is not None and state.hand_back():
            form.append(call.request, wording.BUDGET_MESSAGE)
            return
        spent = state.account.spent()
        todo = "" if is_bound or form is None else wording.endless(form.bound)
        raise wording.shared_exceeded(state.run, lease, spent, asked=asked, todo=todo)

    def _tell(self, state: RunState, run: Run, lease: Lease) -> None:
        """That a budget is near its end, or that one which only warns is at it."""
        what = "reached" if lease.spent >= lease.limit else "near"
        is_near = lease.spent * 100 >= lease.limit * NEAR_PERCENT
        if is_near and state.first(what, lease.budget, lease.who):
            tell(wording.shared_notice(run, lease, reached=what == "reached", asked=0))
