"""Tells people and programs that a run is near a limit, at one, or loops."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from opentelemetry.trace import get_current_span

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told of a run, once per limit and run (per episode, of a loop).

    `what`: the run is `near` a limit, `reached` it, or `loop`s; or nobody knows what is
    left of shared budgets (`unknown`). `limit` is the limit's name (`usd`, `steps`,
    `step_tokens`, `tool_retries`) or the loop's pattern; `allowed` and `used` are in
    its unit, for loops the calls since it began. `action` is what the guard does about
    it: `warn`, `stop` or `handback`. `budget` is the shared budget's name, or "".
    """

    what: Literal["near", "reached", "loop", "unknown"]
    limit: str
    allowed: Decimal
    used: Decimal
    action: str
    message: str
    run_id: str = ""
    task_type: str = ""
    tool: str = ""
    budget: str = ""
    is_estimate: bool = False


Listener = Callable[[Notice], object]
_listeners: list[Listener] = []


def on_limit(listener: Listener) -> Callable[[], None]:
    """Call `listener` with a Notice when a run nears a limit, reaches it, or loops.

    Returns a function that ends it. Listeners are called in the thread of the model
    call that it is about, before that is sent; what they raise is logged.
    """
    _listeners.append(listener)

    def end() -> None:
        if listener in _listeners:
            _listeners.remove(listener)

    return end


def tell(notice: Notice) -> None:
    """Log a notice, put it on the current span as an event, and call the listeners."""
    level = logging.INFO if notice.what == "near" else logging.WARNING
    _logger.log(level, "guard: %s", notice.message)
    span = get_current_span()
    if span.is_recording():
        span.add_event(f"farthing.limit.{notice.what}", _attributes(notice))
    for listener in tuple(_listeners):
        try:
            listener(notice)
        except Exception:
            _logger.exception("guard: a listener of on_limit failed")


def _attributes(notice: Notice) -> dict[str, str | bool]:
    """Amounts are texts: they are exact."""
    told: dict[str, str | bool] = {
        "farthing.limit.name": notice.limit,
        "farthing.limit.allowed": f"{notice.allowed:f}",
        "farthing.limit.used": f"{notice.used:f}",
        "farthing.limit.action": notice.action,
        "farthing.limit.is_estimate": notice.is_estimate,
    }
    if notice.budget:
        told["farthing.limit.budget"] = notice.budget
    if notice.tool:
        told["farthing.limit.tool"] = notice.tool
    return told
