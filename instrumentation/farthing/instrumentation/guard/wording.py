"""What the guard says: to people, to programs, and to the agent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from farthing.economics.budgets import Kind, Reading, Spent
from farthing.economics.loops import Finding
from farthing.errors import BudgetExceeded
from farthing.instrumentation.guard.notices import Notice
from farthing.instrumentation.guard.runs import Run
from farthing.instrumentation.guard.settings import FIELDS, Action

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


def exceeded(
    run: Run, reading: Reading, spent: Spent, *, todo: str = ""
) -> BudgetExceeded:
    """The exception for a limit that is reached; `todo` follows what was not sent."""
    return BudgetExceeded(
        f"{_reached(run, reading, spent)} Its next model call was not sent.{todo}"
        f" Raise {FIELDS[reading.kind]} if this is too low.",
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
    guess = ", partly by a pessimistic guess" if spent.is_guess else ""
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
