"""What enters an agent's process: tagging, fingerprints and the guard.

from farthing.instrumentation import outcome, step, tags, task

with task("code-review", business_unit="platform"):
    with step("plan"):
        ...
    outcome("pr_merged", value=1)
"""

from __future__ import annotations

from farthing.instrumentation.outcomes import outcome
from farthing.instrumentation.scopes import step, tags, task

__all__ = ["outcome", "step", "tags", "task"]
