"""The guard: holds a run to its limits before each of its model calls is sent.

An Observer of `calls`. `before` holds what the call may cost, and warns, stops the run
or asks the agent to wrap up; `after` replaces what was held by what was spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from farthing.economics.budgets import (
    Account,
    Estimate,
    Outcome,
    Reading,
    Taken,
    cancel_all,
    settle_all,
)
from farthing.economics.loops import Finding
from farthing.errors import LoopDetected, RunStopped
from farthing.instrumentation.calls import Ended, ModelCall
from farthing.instrumentation.fingerprints.observer import REPLY, TOLD
from farthing.instrumentation.fingerprints.teller import Replied, Teller, Told
from farthing.instrumentation.forms import Form, form_of
from farthing.instrumentation.guard import wording
from farthing.instrumentation.guard.estimate import (
    GUESSED_OUTPUT,
    Estimator,
    is_unbounded,
)
from farthing.instrumentation.guard.notices import tell
from farthing.instrumentation.guard.runs import (
    CurrentRun,
    Run,
    Runs,
    RunState,
)
from farthing.instrumentation.guard.settings import Action, GuardSettings
from farthing.instrumentation.guard.shared import Limits, NoSharedLimits
from farthing.instrumentation.guard.sharing import SharedRules
from farthing.instrumentation.watching.quietly import say_once
from farthing.semconv import FINGERPRINT

_STATE = "guard"
_BLIND = Estimate(100_000 * GUESSED_OUTPUT, is_guess=True)
"""What a call counts as that we failed to estimate: 7.50 USD."""


@dataclass(slots=True)
class _Watched:
    """A call under way."""

    state: RunState
    accounts: Sequence[Account]
    held: Sequence[Taken]
    agent: str


class Guard:
    """Watches all runs of a process. Threads and tasks share one."""

    def __init__(
        self,
        settings: GuardSettings,
        *,
        teller: Teller,
        current_run: CurrentRun = Run,
        estimator: Estimator | None = None,
        shared: Limits | None = None,
    ) -> None:
        self._runs = Runs(settings)
        self._teller = teller
        self._current_run = current_run
        self._estimator = estimator or Estimator()
        on_unknown = settings.sharing.on_unknown if settings.sharing else Action.WARN
        self._shared = SharedRules(shared or NoSharedLimits(), on_unknown)

    def before(self, call: ModelCall) -> None:
        """Hold what the call may cost. Raises RunStopped where the run must end."""
        run = self._current_run()
        state = self._runs.state(run)
        if not (state.rules.is_on or self._shared.limits.is_on):
            return
        form = form_of(call.library, call.operation, request=call.request)
        agent = self._conversation(call, form, state)
        try:
            call.state[_STATE] = self._held(call, form, state, run=run, agent=agent)
        except BaseException:
            state.end_unbounded(call)
            raise

    def _held(
        self,
        call: ModelCall,
        form: Form | None,
        state: RunState,
        *,
        run: Run,
        agent: str,
    ) -> _Watched:
        """Hold what the call may cost in all accounts, or raise RunStopped."""
        estimate = self._estimate(call, form, state)
        shared = self._shared.take(call, form, state, run=run, estimate=estimate)
        try:
            taken = self._take(call, form, state, estimate=estimate)
        except BaseException:
            shared.cancel()
            raise
        accounts, held = (state.account, *shared.accounts), (taken, *shared.taken)
        return _Watched(state, accounts, held, agent)

    def after(self, call: ModelCall, ended: Ended) -> None:
        """Settle what was held."""
        watched: _Watched | None = call.state.pop(_STATE, None)
        if watched is None:
            return
        watched.state.end_unbounded(call)
        held = watched.held[0].femto_usd
        outcome = self._outcome(call, ended, watched.accounts, held=held)
        if outcome is None:
            cancel_all(watched.accounts, watched.held)
        else:
            settle_all(watched.accounts, watched.held, outcome)
        self._shared.limits.settled()
        self._look_at_reply(call, ended, watched)

    def reset(self, run_id: str = "") -> None:
        """Forget a run: its next call starts a new budget."""
        self._runs.reset(run_id)

    def _conversation(self, call: ModelCall, form: Form | None, state: RunState) -> str:
        """What `_look_at_tools` returns. If it fails, the budget holds all the same."""
        try:
            return self._look_at_tools(call, form, state)
        except RunStopped:
            raise
        except Exception as error:  # noqa: BLE001 - ours must not reach the agent
            say_once(self._look_at_tools, error)
            return ""

    def _look_at_tools(
        self, call: ModelCall, form: Form | None, state: RunState
    ) -> str:
        """Count failures of tools, and look for loops. Returns the conversation."""
        rules = state.rules
        if form is None or not (
            rules.limits.tool_retries or rules.on_loop is not Action.OFF
        ):
            return ""
        told: Told = call.state.get(TOLD) or self._teller.request(form, call.request)
        results = state.new(told.results)
        for result in results:
            self._tool_ended(state, result.name, failed=result.print.error == "true")
        if rules.on_loop is Action.OFF:
            return ""
        agent = state.loops.conversation(form, call.request)
        loop = state.loops.asked(agent, results, user_turn=told.user_turn)
        if loop is not None:
            self._in_loop(call, form, state, loop=loop)
        return agent

    def _tool_ended(self, state: RunState, name: str, *, failed: bool) -> None:
        state.account.tool_ended(name, failed=failed)
        if not failed and name:
            state.forget(name)

    def _in_loop(
        self, call: ModelCall, form: Form, state: RunState, *, loop: Finding
    ) -> None:
        action = state.rules.on_loop
        key = f"loop:{loop.agent}:{loop.episode}"
        if state.first("loop", key):
            tell(wording.loop_notice(state.run, loop, action))
            if action is Action.HANDBACK:
                form.append(call.request, wording.LOOP_MESSAGE)
                return
        if action in (Action.STOP, Action.HANDBACK):
            raise LoopDetected(
                wording.loop(state.run, loop),
                pattern=loop.pattern,
                calls=loop.calls,
                run_id=state.run.id,
                task_type=state.run.task_type,
            )

    def _estimate(
        self, call: ModelCall, form: Form | None, state: RunState
    ) -> Estimate:
        """The call's cost at most, if some limit is on money."""
        if state.account.limits.femto_usd is None and not self._shared.limits.is_on:
            return Estimate()
        try:
            is_bound = not is_unbounded(call, form)
            is_alone = is_bound or state.begin_unbounded(call)
            is_held_to = state.rules.on_budget is not Action.WARN
            estimate = self._estimator.before(
                call, form, is_alone=is_alone or not is_held_to
            )
            if is_bound or not self._shared.limits.is_on:
                return estimate
            most = self._estimator.before(call, form, is_alone=False)
            return replace(estimate, most_femto_usd=most.femto_usd)
        except Exception as error:  # noqa: BLE001 - ours must not reach the agent
            say_once(self._estimator.before, error)
            return _BLIND

    def _take(
        self,
        call: ModelCall,
        form: Form | None,
        state: RunState,
        *,
        estimate: Estimate,
    ) -> Taken:
        taken = state.account.take(estimate)
        if isinstance(taken, Taken):
            self._warn_if_near(state)
            return taken
        self._at_limit(call, form, state, readings=taken.readings)
        taken = state.account.take(estimate, anyway=True)
        assert isinstance(taken, Taken)
        return taken

    def _at_limit(
        self,
        call: ModelCall,
        form: Form | None,
        state: RunState,
        *,
        readings: Sequence[Reading],
    ) -> None:
        """Tell of the limits that are reached, once each. Raises BudgetExceeded unless
        the call may be sent anyway."""
        action = state.rules.on_budget
        spent = state.account.spent()
        for reading in readings:
            if state.first("reached", reading.kind, reading.name):
                tell(
                    wording.notice(
                        state.run, reading, spent, reached=True, action=action
                    )
                )
        if action is Action.WARN:
            return
        if action is Action.HANDBACK and form is not None and state.hand_back():
            form.append(call.request, wording.BUDGET_MESSAGE)
            return
        [first, *_] = readings
        raise wording.exceeded(
            state.run,
            first,
            spent,
            source=state.rules.sources[first.kind],
            todo=self._bound_to_set(call, form, state, reading=first),
        )

    def _bound_to_set(
        self, call: ModelCall, form: Form | None, state: RunState, *, reading: Reading
    ) -> str:
        """What to do where a call is refused for what its answer might cost."""
        if form is None or not reading.asked or reading.used >= reading.limit:
            return ""
        try:
            is_alone = len(state.unbounded) < 2
            assumed = self._estimator.assumed_output(call, form, is_alone=is_alone)
        except Exception as error:  # noqa: BLE001 - ours must not reach the agent
            say_once(self._bound_to_set, error)
            return ""
        return wording.unbounded(assumed, form.bound) if assumed else ""

    def _warn_if_near(self, state: RunState) -> None:
        for reading in state.account.readings():
            if reading.is_near and state.first("near", reading.kind, reading.name):
                spent, action = state.account.spent(), state.rules.on_budget
                tell(
                    wording.notice(
                        state.run, reading, spent, reached=False, action=action
                    )
                )

    def _outcome(
        self, call: ModelCall, ended: Ended, accounts: Sequence[Account], *, held: int
    ) -> Outcome | None:
        """What the call did cost, where some limit asks for it."""
        if len(accounts) == 1 and not accounts[0].limits:
            return Outcome(0)
        try:
            return self._estimator.after(call, ended, held)
        except Exception as error:  # noqa: BLE001 - ours must not reach the agent
            say_once(self._estimator.after, error)
            return Outcome(held, is_guess=True)

    def _look_at_reply(self, call: ModelCall, ended: Ended, watched: _Watched) -> None:
        if not watched.agent or ended.error is not None:
            return
        replied: Replied | None = call.state.get(REPLY)
        reply = replied.attributes if replied is not None else {}
        watched.state.loops.answered(
            watched.agent,
            ended.response_id,
            text_hash=str(reply.get(f"{FINGERPRINT}text_hash", "")),
            text_norm_hash=str(reply.get(f"{FINGERPRINT}text_norm_hash", "")),
            usage=ended.usage,
        )
