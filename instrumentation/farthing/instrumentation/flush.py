"""Sends what waits before the process ends, within a bounded time.

A thread of our own does it, started beforehand (a new one cannot be started while the
interpreter ends), and whoever ends the process waits for it so long and no longer: a
collector that is down or hangs holds nobody up, and a signal that comes while a lock is
held cannot lock up.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final, Protocol

from farthing.instrumentation.imports import once_imported
from farthing.instrumentation.isolate import attempt

_logger: Final = logging.getLogger("farthing")
_BEFORE_OTHER_FINALIZERS: Final = 100
_first: Final[list[Callable[[], None]]] = []


def before_flush(action: Callable[[], None]) -> None:
    """Call `action` before what waits is sent for the last time."""
    _first.append(action)


class Provider(Protocol):
    """A provider of OpenTelemetry's SDK."""

    def shutdown(self) -> None:
        """Send what waits, and stop."""


class Flusher:
    """Shuts down the providers that it is given, at most once per process, within
    `timeout_s` seconds."""

    def __init__(self, *, timeout_s: float) -> None:
        self._providers: Sequence[Provider] = ()
        self._timeout_s = timeout_s

    def take(self, providers: Sequence[Provider]) -> None:
        """From now on these have something to send. Raises RuntimeError where no thread
        can be started: then each sends by itself, as it would have without us."""
        self._start(providers)
        for provider in providers:
            atexit.unregister(provider.shutdown)  # waits for 30 seconds and more

    def _start(self, providers: Sequence[Provider]) -> None:
        if not providers:
            return
        self._asked, self._done = asked, done = threading.Event(), threading.Event()

        def wait_and_shut_down() -> None:
            asked.wait()
            for action in _first:
                attempt("end what is open", action)
            for provider in providers:
                attempt("send what waits", provider.shutdown)
            done.set()

        threading.Thread(
            target=wait_and_shut_down, name="farthing-flush", daemon=True
        ).start()
        self._providers = providers  # not before: who flushes now waits for the thread

    def _start_in_child(self) -> None:
        """Take over from the parent's thread. Where none can be started, the providers
        are given back to Python, which the parent took them from."""
        providers, self._providers = self._providers, ()
        try:
            self._start(providers)
        except RuntimeError:
            for provider in providers:
                atexit.register(provider.shutdown)
            raise

    def flush(self) -> None:
        """Send what waits and stop; what is not sent in time is lost, and told."""
        if not self._providers:
            return
        self._asked.set()
        if not self._done.wait(self._timeout_s):
            _logger.warning(
                "farthing: the collector did not take all spans within %g s"
                " (FARTHING_FLUSH_TIMEOUT_SECONDS); the rest is lost",
                self._timeout_s,
            )

    def install(self) -> None:
        """Flush when the process ends: by itself, by SIGTERM, or as a forked child."""
        atexit.register(attempt, "flush at exit", self.flush)
        attempt("flush on SIGTERM", self._handle_sigterm)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                after_in_child=lambda: attempt(
                    "flush in a forked child", self._start_in_child
                )
            )
        once_imported(
            "multiprocessing.util", "flush in multiprocessing", self._follow_forks
        )

    def _handle_sigterm(self) -> None:
        """Only where nobody else does, and where Python lets us: in the main thread."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        """Flush, then end as the process would have ended without us."""
        del frame
        attempt("flush on SIGTERM", self.flush)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _follow_forks(self, util: Any) -> None:
        """multiprocessing ends its children without Python's exit handlers, but with
        those that are registered with it in the child."""

        def in_child(flush: Callable[[], object]) -> None:
            util.Finalize(
                None,
                attempt,
                args=("flush a forked worker", flush),
                exitpriority=_BEFORE_OTHER_FINALIZERS,
            )

        util.register_after_fork(self, lambda self: in_child(self.flush))
