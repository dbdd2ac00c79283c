"""What enters an agent's process: tagging, fingerprints and the guard.

from farthing.instrumentation import outcome, step, tags, task

with task("code-review", business_unit="platform"):
    with step("plan"):
        ...
    outcome("pr_merged", value=1)

A guard that was switched on raises BudgetExceeded or LoopDetected out of a model call:
`on_limit(callback)` hears of limits before they are reached, and `reset_budget()` lets
a run start anew.
"""

from __future__ import annotations

from farthing.errors import BudgetExceeded, LoopDetected, RunStopped
from farthing.instrumentation.guard import reset_budget
from farthing.instrumentation.guard.notices import Notice, on_limit
from farthing.instrumentation.outcomes import outcome
from farthing.instrumentation.scopes import step, tags, task

__all__ = [
    "BudgetExceeded",
    "LoopDetected",
    "Notice",
    "RunStopped",
    "on_limit",
    "outcome",
    "reset_budget",
    "step",
    "tags",
    "task",
]
