"""What enters an agent's process: tagging, fingerprints and the guard.

from farthing.instrumentation import outcome, step, tags, task

with task("code-review", business_unit="platform"):
    with step("plan"):
        ...
    outcome("pr_merged", value=1)

A guard that was switched on raises a RunStopped (BudgetExceeded, LoopDetected and
others) out of a model call: `on_limit(callback)` hears of limits before they are
reached, and `reset_budget()` lets a run start anew.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from farthing.errors import (
        BudgetExceeded,
        BudgetUnknown,
        LoopDetected,
        RunStopped,
        StopOrdered,
    )
    from farthing.instrumentation.guard import reset_budget
    from farthing.instrumentation.guard.notices import Notice, on_limit
    from farthing.instrumentation.outcomes import outcome
    from farthing.instrumentation.scopes import step, tags, task

_ERRORS: Final = "farthing.errors"
_SCOPES: Final = "farthing.instrumentation.scopes"
_WHEN_ASKED_FOR: Final = {
    "BudgetExceeded": _ERRORS,
    "BudgetUnknown": _ERRORS,
    "LoopDetected": _ERRORS,
    "RunStopped": _ERRORS,
    "StopOrdered": _ERRORS,
    "reset_budget": "farthing.instrumentation.guard",
    "Notice": "farthing.instrumentation.guard.notices",
    "on_limit": "farthing.instrumentation.guard.notices",
    "outcome": "farthing.instrumentation.outcomes",
    "step": _SCOPES,
    "tags": _SCOPES,
    "task": _SCOPES,
}

__all__ = [
    "BudgetExceeded",
    "BudgetUnknown",
    "LoopDetected",
    "Notice",
    "RunStopped",
    "StopOrdered",
    "on_limit",
    "outcome",
    "reset_budget",
    "step",
    "tags",
    "task",
]


def __getattr__(name: str) -> Any:
    """What is imported by those who use it: most processes do not."""
    if name in _WHEN_ASKED_FOR:
        globals()[name] = found = getattr(import_module(_WHEN_ASKED_FOR[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
