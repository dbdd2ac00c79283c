"""Asks the collector what is left of shared budgets, in a thread of its own.

Every `POLL_S`; sooner after a call has ended, so that the collector hears of what was
spent before its span is in the ledger; at once where a call waits.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import IO, Any, Final
from urllib.error import HTTPError
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from opentelemetry.instrumentation.utils import suppress_instrumentation

from farthing.economics.leases import Answer, Report
from farthing.instrumentation.guard.shared import SharedLimits
from farthing.instrumentation.watching.quietly import say_once

POLL_S: Final = 1.0
_SOON_S: Final = 0.2
_AGAIN_S: Final = 0.02
_TIMEOUT_S: Final = 1.0
_MOST_BYTES: Final = 4 << 20
_logger: Final = logging.getLogger(__name__)


class CollectorAway(Exception):
    """The collector gave no answer that makes sense; says why, without content."""


class _NoRedirects(HTTPRedirectHandler):
    """The token is for the collector alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Asking:
    """The exchange with the collector at `url`; `headers` may hold a token."""

    def __init__(
        self, url: str, headers: Mapping[str, str], *, certificate: str = ""
    ) -> None:
        self._url = url
        self._headers = {**headers, "content-type": "application/json"}
        self._certificate = certificate
        self._opener: OpenerDirector | None = None

    def __call__(self, report: Report) -> Answer:
        """Raises CollectorAway."""
        body = json.dumps(report.to_json()).encode()
        request = Request(self._url, body, self._headers)  # noqa: S310 - http, checked
        try:
            self._opener = self._opener or self._made()
            with (
                suppress_instrumentation(),
                self._opener.open(request, timeout=_TIMEOUT_S) as answer,
            ):
                told = json.loads(_read(answer))
            return Answer.from_json(told, asked=len(report.works_for))
        except HTTPError as error:
            error.close()
            raise CollectorAway(f"it answers {error.code}") from None
        except (OSError, HTTPException) as error:
            raise CollectorAway(f"{type(error).__name__}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise CollectorAway(f"its answer makes no sense: {error}") from None

    def _made(self) -> OpenerDirector:
        context = ssl.create_default_context(cafile=self._certificate or None)
        return build_opener(_NoRedirects, HTTPSHandler(context=context))


class Link:
    """Keeps `limits` up to date, from `start` to the end of the process.

    A forked child begins anew, at its first call.
    """

    def __init__(self, ask: Callable[[Report], Answer]) -> None:
        self._ask = ask
        self._limits: SharedLimits | None = None
        self._was_away = False
        self._next_s = self._last_s = 0.0
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, limits: SharedLimits) -> None:
        """Ask for these limits from now on."""
        self._limits = limits
        self._run_thread()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def wake(self, *, soon: bool) -> None:
        """Ask at once; `soon`: within a fifth of a second."""
        self._next_s = min(self._next_s, self._last_s + _SOON_S if soon else 0.0)
        self._woken.set()
        if self._thread is None:
            self._run_thread()

    def _forked(self) -> None:
        """The thread is the parent's, and so is whatever it held."""
        self._woken, self._thread = threading.Event(), None
        self._next_s = self._last_s = 0.0
        if self._limits is not None:
            self._limits.begin()

    def _run_thread(self) -> None:
        self._thread = threading.Thread(
            target=self._run, name="farthing-budgets", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        limits = self._limits
        while limits is not None:
            self._woken.clear()
            pause_s = self._next_s - time.monotonic()
            if pause_s > 0:
                self._woken.wait(pause_s)
                continue
            self._last_s = time.monotonic()
            self._next_s = self._last_s + POLL_S
            if not self._exchange(limits):
                limits.failed()
            # Calls that wait ask again by themselves: not more often than this.
            time.sleep(_AGAIN_S if limits.has_waiting else 0.0)

    def _exchange(self, limits: SharedLimits) -> bool:
        try:
            limits.answered(self._ask(limits.report()))
        except CollectorAway as error:
            self._say(f"the collector says nothing of shared budgets: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - the thread must outlive everything
            say_once(self._exchange, error)
            return False
        self._was_away = False
        return True

    def _say(self, problem: str) -> None:
        """Once each time that it goes away."""
        if not self._was_away:
            _logger.warning("guard: %s", problem)
        self._was_away = True


def _read(answer: IO[bytes]) -> bytes:
    body = answer.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise ValueError("it is too long")
    return body
