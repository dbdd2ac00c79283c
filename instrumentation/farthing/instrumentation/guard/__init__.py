"""Limits that act while the agent spends: `docs/guard.md`.

`settings` reads what the user asked for, `runs` keeps a budget per run, `estimate`
prices a call before it is sent, `guard` is the observer that holds, warns, stops or
hands back, `notices` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farthing.instrumentation.guard.guard import Guard

_installed: list[Guard] = []


def install(guard: Guard) -> None:
    """Make a guard the process's own."""
    _installed[:] = [guard]


def reset_budget(run_id: str = "") -> None:
    """Forget what a run has spent: its next call starts a new budget.

    `run_id` is the task's id; without one it is the run of calls that name no task.
    Nothing happens where no guard is on.
    """
    for guard in _installed:
        guard.reset(run_id)
