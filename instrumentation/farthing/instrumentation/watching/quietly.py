"""Our own failures stay ours: said once, and the agent goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from farthing.errors import RunStopped
from farthing.instrumentation.isolate import described

_log = logging.getLogger("farthing.instrumentation")
_said: set[str] = set()
P = ParamSpec("P")


def quietly(what: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call `what`; a failure is logged the first time, and never raised.

    Only RunStopped passes: what a guard that was switched on raises.
    """
    try:
        what(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        pass_on(what, error)


def pass_on(what: object, error: Exception) -> None:
    """Raise what a guard raised; log any other failure of `what`, the first time."""
    if isinstance(error, RunStopped):
        raise error
    say_once(what, error)


def say_once(what: object, error: BaseException) -> None:
    """Log a failure of ours, once per place; its text, which may hold what people
    wrote, at DEBUG only."""
    place = getattr(what, "__qualname__", type(what).__name__)
    if place not in _said:
        _said.add(place)
        _log.warning(
            "farthing: %s failed (%s); calls go on without it; said once",
            place,
            described(error),
            exc_info=_log.isEnabledFor(logging.DEBUG),
        )
