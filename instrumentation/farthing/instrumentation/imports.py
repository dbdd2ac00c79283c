"""Does something once a module is imported, at once if it is already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from wrapt import when_imported

from farthing.instrumentation.isolate import attempt


def once_imported(module: str, what: str, action: Callable[[Any], object]) -> None:
    """Attempt `action(module)` once the module of that name has been imported; `what`
    says in the log what it was that failed."""
    when_imported(module)(partial(attempt, what, action))
