"""One model call under way: who is told of it, and what its span is to say."""

from __future__ import annotations

import time
from asyncio import _get_running_loop, current_task  # the former is public
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import get_ident
from typing import Any, Final

from opentelemetry import context
from opentelemetry.trace import Span, Status, StatusCode

from farthing import semconv
from farthing.instrumentation.calls import ModelCall, Observer, Patient
from farthing.instrumentation.watching import dropped, spans
from farthing.instrumentation.watching.answer import Answer
from farthing.instrumentation.watching.later import place_of
from farthing.instrumentation.watching.quietly import quietly
from farthing.instrumentation.watching.reading import Api

SENT_ERRORS: Final = frozenset(
    {
        "ReadTimeout",
        "ReadError",
        "RemoteProtocolError",
        "ReadTimeoutError",
        "ConnectionClosedError",
    }
)
"""Errors of an HTTP client, by name, after which the provider may have worked."""
_sending: ContextVar[Watch | None] = ContextVar("farthing_sending", default=None)
"""The call that is being sent: a task or thread that is started meanwhile inherits it
with the context, but what it sends itself is no part of that call."""


class Watch:
    """A call, from before it is sent until it ended; every method but `before` is safe.

    `span` is the span that tells of it, None where nothing records; `own` whether it is
    ours to end. A call inside another one's (a framework over an SDK) is told to the
    observers once, by the outer one. `make` makes the call when it is first asked for;
    where what it is made of is a `copy`, which nobody changes once it is sent, that may
    be when the span is exported, and so may the answer be read.

    `with` it, the request is sent: it is the call under way, and told of what that
    raises.
    """

    # Each call pays for all that is touched here, with nothing of it in the processor's
    # caches: hence slots, few functions, and nothing is asked twice.
    __slots__ = (
        "_call",
        "_here",
        "_is_ended",
        "_is_sending",
        "_make",
        "_may_wait",
        "_observers",
        "_own",
        "_token",
        "_who",
        "answer",
        "attempt_ns",
        "has_before",
        "span",
    )

    def __init__(
        self,
        make: Callable[[], ModelCall],
        api: Api,
        observers: Sequence[Observer],
        *,
        own: Span | None = None,
        is_copy: bool = False,
    ) -> None:
        self._make = make
        self._call: ModelCall | None = None
        self.attempt_ns = time.time_ns()
        self.answer = answer = Answer(api)
        self._own = own
        self._is_ended = self._is_sending = False
        self._may_wait = is_copy
        self._who = _who()
        outer = _sending.get()
        if outer is not None and outer.is_sent_by(self._who):
            observers = ()
        self.span: Span | None
        self.span, place = spans.current() if own is None else (own, place_of(own))
        if place is not None and place.span is not None:
            place.later.append(answer)
            for one in observers:
                is_copy = is_copy and isinstance(one, Patient)
            if is_copy and observers:
                answer.late = make, observers
                observers = ()
        self._observers = observers
        self.has_before = bool(observers) or not dropped.waiting.empty()

    @property
    def call(self) -> ModelCall:
        """What is sent."""
        if self._call is None:
            self._call = self._make()
            self._call.span = self.span
        return self._call

    def before(self) -> None:
        """Tell the observers; raises what the guard raises. To be called where
        `has_before` says so."""
        dropped.end_dropped()
        try:
            for observer in self._observers:
                quietly(observer.before, self.call)
        except BaseException as error:
            self._end_own(error)
            raise

    def __enter__(self) -> None:
        self._is_sending = True
        self._token = _sending.set(self)
        self._here = None if self._own is None else spans.enter(self._own)

    def __exit__(self, _kind: Any, error: BaseException | None, _where: Any) -> None:
        if self._here is not None:
            context.detach(self._here)
        if error is not None:
            quietly(self.failed, error)
        self._is_sending = False
        _sending.reset(self._token)

    def is_sent_by(self, who: object) -> bool:
        """Whether it is under way, and that task or thread sends it."""
        return self._is_sending and self._who == who

    def answered(self, response: Any) -> None:
        """The whole answer is here."""
        self.answer.whole = response
        if not self._may_wait:  # the application may use it up
            quietly(self.answer.see)
        self._end()

    def failed(self, error: BaseException) -> None:
        """No answer came. Whether it is billed depends on how far it got."""
        if self._is_ended:
            return
        if is_sent(error):
            self.answer.is_opened = True  # it may be billed, and nothing was told
        self._end(error, is_complete=False)

    def opened(self) -> None:
        """A stream has begun."""
        self.answer.is_opened = True

    def finished(self) -> None:
        """A stream came to its end."""
        if not self._is_ended:
            self.answer.is_finished = True
            self._end()

    def left(self, error: BaseException | None = None) -> None:
        """A stream was left, or cut, before its end."""
        if error is not None and not self.answer.is_heard:
            self.failed(error)
        elif not self._is_ended:
            self._end(error, is_complete=self.answer.see().is_whole)

    def retrying(self, error: BaseException | None) -> None:
        """An attempt will be repeated. One that was perhaps billed has a span too:
        `error` is what it ended with, None where the provider refused it."""
        started_ns, self.attempt_ns = self.attempt_ns, time.time_ns()
        if error is None or not is_sent(error):
            return
        said = {
            semconv.USAGE_STATE: semconv.USAGE_MISSING,
            "error.type": type(error.__cause__ or error).__name__,
            **spans.conversation(self.span),
        }
        span = spans.started(self.call, said, start_ns=started_ns, beside=self.span)
        span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _end(
        self, error: BaseException | None = None, *, is_complete: bool = True
    ) -> None:
        self._is_ended = True
        answer = self.answer
        answer.error, answer.is_complete = error, is_complete
        if answer.is_opened:
            dropped.ended(self)
        if self._own is not None:
            quietly(self._end_own, error)
        if self._observers:
            ended = answer.ended()
            for observer in self._observers:
                quietly(observer.after, self.call, ended)

    def _end_own(self, error: BaseException | None) -> None:
        """End the span, where it is ours."""
        span, self._own = self._own, None
        if span is not None:
            spans.end(span, self.answer.see(), error)


def under_way() -> Watch | None:
    """The call that this task, or else this thread, is sending."""
    sending = _sending.get()
    return sending if sending is not None and sending.is_sent_by(_who()) else None


def _who() -> object:
    """The task, else the thread, that runs now. Another thread may have its number once
    it has ended, but then it sends nothing."""
    loop = _get_running_loop()
    return (current_task(loop) if loop is not None else None) or get_ident()


def is_sent(error: BaseException) -> bool:
    """Whether the request was, as far as one can tell, with the provider."""
    if not isinstance(error, Exception):
        return True  # cancelled, interrupted
    names = {type(error).__name__, type(error.__cause__).__name__}
    return bool(names & SENT_ERRORS)
