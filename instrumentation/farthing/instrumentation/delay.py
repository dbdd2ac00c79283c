"""Puts off what only the first span needs, until it may come.

A process that makes no model call and asks for no tracer, as many children do not, pays
for no SDK and no exporter. Whoever asks OpenTelemetry for a provider, or sets one,
finds what an early start would have made.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from farthing.instrumentation.imports import once_imported
from farthing.instrumentation.isolate import attempt

_PROVIDERS: Final = {
    "opentelemetry.trace": "tracer_provider",
    "opentelemetry._logs": "logger_provider",
    "opentelemetry.metrics": "meter_provider",
}
"""Modules, and what their functions `get_…` and `set_…` are about."""
_PATIENCE_S: Final = 5.0
"""How long a thread waits for another that does it. Both may be importing what the
other one waits for: then a few spans may be lost, but nobody hangs."""


class Delayed:
    """`action`, done once: at the latest before anybody has a tracer."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self._has_begun = self._is_done = False
        self._lock = threading.RLock()  # the action asks for the provider, too
        self._kept: list[tuple[Any, str, Callable[..., Any]]] = []

    def wait(self) -> None:
        """Do it when OpenTelemetry is asked for a provider. Not when it is imported:
        the action imports the same, which may be half there."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        for module in _PROVIDERS:
            once_imported(module, "wait until a provider is asked for", self._watch)

    def now(self) -> None:
        """Do it, or wait for the thread that does, unless it is done."""
        if self._is_done or not self._lock.acquire(timeout=_PATIENCE_S):
            return
        try:
            if not self._has_begun:
                self._has_begun = True
                attempt("prepare for the first span", self._action)
                self._is_done = True
                for module, name, function in self._kept:
                    setattr(module, name, function)
        finally:
            self._lock.release()

    def _watch(self, module: Any) -> None:
        if self._is_done:
            return
        for verb in ("get", "set"):
            name = f"{verb}_{_PROVIDERS[module.__name__]}"
            function = getattr(module, name)
            self._kept.append((module, name, function))
            setattr(module, name, self._asking(function))

    def _asking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def asking(*args: Any, **kwargs: Any) -> Any:
            self.now()
            return function(*args, **kwargs)

        return asking

    def _forked(self) -> None:
        """A thread that held the lock is the parent's."""
        self._lock = threading.RLock()
