"""Which span is a model call's, and how attributes reach it.

A call's wrapper runs inside the span that another package began, or outside of one
that the SDK is about to begin. Inside, the current span is the one. Outside, what is to
be said waits, and the next model call's span of this context takes it as it starts.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Span as AnySpan
from opentelemetry.trace import get_current_span

from farthing.instrumentation.fingerprints.teller import Attributes

OPERATION: Final = "gen_ai.operation.name"
MODEL_CALLS: Final = frozenset(("chat", "generate_content", "text_completion"))


@dataclass(slots=True)
class Place:
    """Where a call's attributes go: a span, once there is one."""

    waiting: Attributes
    span: AnySpan | None = None

    def add(self, attributes: Attributes) -> None:
        """Say more; lost where no span tells of the call, or it has ended."""
        if attributes and self.span is not None and self.span.is_recording():
            self.span.set_attributes(attributes)


_waiting: ContextVar[Place | None] = ContextVar("farthing_fingerprints", default=None)


def is_model_call(span: Any) -> bool:
    """Whether a span that has begun is a model call's."""
    attributes = getattr(span, "attributes", None) or {}
    return attributes.get(OPERATION) in MODEL_CALLS


def place(attributes: Attributes, span: Any = None) -> Place:
    """Say `attributes` of the model call that runs or is about to: on its `span`, where
    the caller knows it."""
    if span is None:
        span = get_current_span()
    if span.is_recording() and is_model_call(span):
        span.set_attributes(attributes)
        return Place(attributes, span)
    made = Place(attributes)
    _waiting.set(made)
    return made


def leave(made: Place) -> None:
    """The call is over: nothing that begins later is its span."""
    if _waiting.get() is made:
        _waiting.set(None)


class FingerprintProcessor(SpanProcessor):
    """Gives what waits to the model call's span that begins."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context  # what waits is in a variable of the calling context
        made = _waiting.get()
        if made is None or made.span is not None or not is_model_call(span):
            return
        made.span = span
        span.set_attributes(made.waiting)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing: a span that has ended takes no attribute."""
