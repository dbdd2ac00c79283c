"""What the guard says: to people, to programs, and to the agent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from farthing.economics.budgets import Kind, Reading, Spent
from farthing.economics.leases import Lease, Stop
from farthing.economics.loops import Finding
from farthing.errors import BudgetExceeded, BudgetUnknown, StopOrdered
from farthing.instrumentation.guard.notices import Notice
from farthing.instrumentation.guard.runs import Run
from farthing.instrumentation.guard.settings import UNKNOWN_VARIABLE, Action

BUDGET_MESSAGE: Final = (
    "The budget for this task is used up. Do not call any more tools. Wrap up now: give"
    " your best final answer with what you have, and say what is missing."
)
LOOP_MESSAGE: Final = (
    "The last steps repeated each other without new information. Do not try the same"
    " again. Take a different approach, or wrap up: give your best final answer with"
    " what you have, and say what is missing."
)


def usd(femto: int) -> Decimal:
    """Femto-USD as USD, exact."""
    return Decimal(femto).scaleb(-15)


def unbounded(assumed: int, bound: str) -> str:
    """What to do about a call that does not say how long its answer may be."""
    todo = f": set {bound}" if bound else ""
    return (
        f" It sets no output bound, so {assumed:,} tokens of output are assumed{todo}."
    )


def endless(bound: str) -> str:
    """What to do about a call that would hold all that its answer may cost."""
    todo = f": set {bound}" if bound else ""
    return f" It sets no output bound, so the most it can cost is held{todo}."


def exceeded(
    run: Run, reading: Reading, spent: Spent, *, source: str, todo: str = ""
) -> BudgetExceeded:
    """The exception for a limit that is reached; `source` is where the limit is set,
    `todo` follows what was not sent."""
    return BudgetExceeded(
        f"{_reached(run, reading, spent)} Its next model call was not sent.{todo}"
        f" Raise {source} if this is too low.",
        limit=reading.kind.value,
        allowed=_amount(reading, reading.limit),
        used=_amount(reading, reading.used),
        spent_usd=usd(spent.femto_usd),
        held_usd=usd(spent.held_femto_usd),
        steps=spent.steps,
        is_estimate=spent.is_guess,
        run_id=run.id,
        task_type=run.task_type,
    )


def notice(
    run: Run, reading: Reading, spent: Spent, *, reached: bool, action: Action
) -> Notice:
    """The notice for a limit that is near or reached."""
    words = _reached if reached else _near
    return Notice(
        what="reached" if reached else "near",
        limit=reading.kind.value,
        allowed=_amount(reading, reading.limit),
        used=_amount(reading, reading.used),
        action=action.value,
        message=words(run, reading, spent),
        run_id=run.id,
        task_type=run.task_type,
        tool=reading.name,
        is_estimate=spent.is_guess,
    )


def shared_exceeded(
    run: Run, lease: Lease, spent: Spent, *, asked: int, todo: str = ""
) -> BudgetExceeded:
    """The exception for a shared budget that has no room for the next call; `todo`
    follows what was not sent."""
    return BudgetExceeded(
        f"{shared(lease, asked=asked)} The next model call of {_whose(run)} was not"
        f" sent.{todo} `farthing budgets set {lease.budget} …` changes it.",
        limit=Kind.USD.value,
        allowed=usd(lease.limit),
        used=usd(lease.spent),
        spent_usd=usd(spent.femto_usd),
        held_usd=usd(spent.held_femto_usd),
        steps=spent.steps,
        is_estimate=spent.is_guess,
        budget=lease.budget,
        run_id=run.id,
        task_type=run.task_type,
    )


def shared_notice(run: Run, lease: Lease, *, reached: bool, asked: int) -> Notice:
    """The notice for a shared budget that is near its end or at it."""
    return Notice(
        what="reached" if reached else "near",
        limit=Kind.USD.value,
        allowed=usd(lease.limit),
        used=usd(lease.spent),
        action=lease.action,
        message=shared(lease, asked=asked if reached else 0),
        budget=lease.budget,
        run_id=run.id,
        task_type=run.task_type,
    )


def shared(lease: Lease, *, asked: int) -> str:
    """How far a shared budget is used."""
    whose = "" if lease.who == lease.of else f" {lease.who}"
    text = (
        f"budget {lease.budget} of {lease.of.replace('_', ' ')}{whose} for this"
        f" {lease.window}: {_dollars(lease.spent)} of {_dollars(lease.limit)} spent"
    )
    if asked and lease.spent < lease.limit:
        text += (
            f", the rest is held for calls under way, and the next call may cost"
            f" {_dollars(asked)}"
        )
    return text + "."


def unknown(run: Run) -> str:
    """That nobody knows what is left."""
    return f"{_whose(run)}: the collector does not say what is left of shared budgets."


def unknown_notice(run: Run, action: Action) -> Notice:
    """The notice for it."""
    return Notice(
        what="unknown",
        limit=Kind.USD.value,
        allowed=Decimal(0),
        used=Decimal(0),
        action=action.value,
        message=unknown(run),
        run_id=run.id,
        task_type=run.task_type,
    )


def is_unknown(run: Run) -> BudgetUnknown:
    """The exception for it."""
    return BudgetUnknown(
        f"{unknown(run)} The next model call was not sent. Is the collector up? With"
        f" {UNKNOWN_VARIABLE}=warn calls are sent meanwhile.",
        run_id=run.id,
        task_type=run.task_type,
    )


def stopped(run: Run, stop: Stop) -> StopOrdered:
    """The exception for work that somebody ordered to stop."""
    why = f": {stop.reason}" if stop.reason else ""
    return StopOrdered(
        f"{_whose(run)} was stopped by {stop.by}{why}. Its next model call was not"
        " sent, until `farthing budgets resume`, or the end of the rule's alert.",
        by=stop.by,
        reason=stop.reason,
        run_id=run.id,
        task_type=run.task_type,
    )


def loop(run: Run, found: Finding) -> str:
    """A loop in words."""
    return f"{_whose(run)} makes no progress: {found.why}."


def loop_notice(run: Run, found: Finding, action: Action) -> Notice:
    """The notice for a loop."""
    return Notice(
        what="loop",
        limit=found.pattern,
        allowed=Decimal(0),
        used=Decimal(found.calls),
        action=action.value,
        message=loop(run, found),
        run_id=run.id,
        task_type=run.task_type,
    )


def _near(run: Run, reading: Reading, spent: Spent) -> str:
    return f"{_whose(run)} is near its limit: {_used(reading, spent)}."


def _reached(run: Run, reading: Reading, spent: Spent) -> str:
    return f"{_whose(run)} is at its limit: {_used(reading, spent)}."


def _whose(run: Run) -> str:
    kind = f" ({run.task_type})" if run.task_type else ""
    return f"run {run.id}{kind}" if run.id else f"this process{kind}"


def _used(reading: Reading, spent: Spent) -> str:
    is_guess = spent.is_guess and reading.kind is Kind.USD
    guess = ", partly by a pessimistic guess" if is_guess else ""
    return _USED[reading.kind](reading) + guess


def _money(reading: Reading) -> str:
    spent = _dollars(reading.used - reading.held)
    text = f"{spent} of {_dollars(reading.limit)} spent"
    if reading.held:
        text += f", {_dollars(reading.held)} held for calls under way"
    if reading.asked:
        text += f", and the next call may cost {_dollars(reading.asked)}"
    return text


def _retries(reading: Reading) -> str:
    return f"tool {reading.name} failed after {reading.used} of {reading.limit} retries"


_USED: Final[dict[Kind, Callable[[Reading], str]]] = {
    Kind.USD: _money,
    Kind.STEPS: lambda r: f"{r.used} of {r.limit} model calls",
    Kind.STEP_TOKENS: lambda r: (
        f"a model call of {r.used} tokens, {r.limit} are allowed"
    ),
    Kind.TOOL_RETRIES: _retries,
}


def _dollars(femto: int) -> str:
    return f"${usd(femto).quantize(Decimal('0.0001'))}"


def _amount(reading: Reading, number: int) -> Decimal:
    return usd(number) if reading.kind is Kind.USD else Decimal(number)
