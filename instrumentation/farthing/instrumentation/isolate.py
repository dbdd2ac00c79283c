"""Keeps our failures out of the agent: each of our hooks runs through `attempt`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from farthing.errors import FarthingError

T = TypeVar("T")
_logger: Final = logging.getLogger("farthing")
_told: Final[set[str]] = set()
_PLAIN: Final = (FarthingError, ImportError, OSError, RuntimeError, SyntaxError)
"""Errors that speak of programs and files. The text of any other may repeat what it
failed on, which may be what people wrote."""


def attempt(what: str, action: Callable[..., T], *args: object) -> T | None:
    """What `action(*args)` returns; None where it failed.

    A failure is told in one log line, once per `what`, which is a literal at every
    call: the tests break each of them and look whether the agent notices.
    """
    try:
        return _run(what, action, args)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not the agent's
        tell(what, error)
        return None


def tell(what: str, error: Exception) -> None:
    """Log that `what` failed, the first time that it does."""
    if what in _told:
        return
    _told.add(what)
    _logger.warning(
        "farthing: cannot %s (%s); the agent runs on", what, described(error)
    )


def described(error: BaseException) -> str:
    """An error for the log of an agent: its type, and its text where that is plain."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, _PLAIN) else name


def _run(what: str, action: Callable[..., T], args: tuple[object, ...]) -> T:
    del what  # for the tests, which put a failure here
    return action(*args)
