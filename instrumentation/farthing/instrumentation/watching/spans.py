"""Spans: the one that tells of the current call, and those that nobody else writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Token
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context, trace
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
)

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.context import SPAN
from farthing.instrumentation.hosts import MODEL_CALLS, OPERATION
from farthing.instrumentation.watching.later import Place, operation_of
from farthing.instrumentation.watching.reading import Seen, Value

if TYPE_CHECKING:
    from farthing.instrumentation.calls import ModelCall

SCOPE: Final = "farthing.instrumentation"
CONVERSATION: Final = "gen_ai.conversation.id"


def current() -> tuple[Any, Place | None]:
    """The current span, if it tells of a model call and can still be added to, and its
    place, if it has one."""
    span: Any = context.get_current().get(SPAN)
    place: Place | None = getattr(span, "farthing_place", None)
    if place is not None:
        return (span, place) if place.span is not None else _NOTHING
    if span is None or not span.is_recording():
        return _NOTHING
    return (span, None) if operation_of(span) in MODEL_CALLS else _NOTHING


def model_span() -> Span | None:
    """The current span if it tells of a model call and can still be added to."""
    span: Span | None = current()[0]
    return span


_NOTHING: Final[tuple[None, None]] = (None, None)


def started(
    call: ModelCall,
    attributes: Mapping[str, Value] | None = None,
    *,
    start_ns: int | None = None,
    beside: Span | None = None,
) -> Span:
    """A span of ours for a model call, under the current one or `beside` another."""
    named: dict[str, Value] = {
        OPERATION: call.operation,
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": call.model,
    }
    if call.host:
        named["server.address"] = call.host
    if call.is_streamed:
        named["gen_ai.request.stream"] = True
    scope = SCOPE if call.library in _OFFICIAL else f"{SCOPE}.{call.library}"
    return trace.get_tracer(scope).start_span(
        f"{call.operation} {call.model}",
        context=_beside(beside) if beside is not None else None,
        kind=SpanKind.CLIENT,
        attributes={**named, **(attributes or {})},
        start_time=start_ns,
    )


_OFFICIAL: Final = frozenset({"openai", "anthropic", "google_genai", "bedrock"})


def _beside(span: Span) -> context.Context:
    """The current context, with the parent of `span` for the current span.

    A span inside a model call's span would be one more telling of the same call.
    """
    parent: SpanContext | None = getattr(span, "parent", None)
    outer = NonRecordingSpan(parent) if parent is not None else trace.INVALID_SPAN
    return trace.set_span_in_context(outer)


def enter(span: Span) -> Token[context.Context]:
    """Make a span of ours the current one, until what is returned is detached."""
    return context.attach(trace.set_span_in_context(span))


@contextmanager
def inside(span: Span | None) -> Iterator[None]:
    """Make a span of ours the current one, if there is one."""
    if span is None:
        yield
        return
    here = enter(span)
    try:
        yield
    finally:
        context.detach(here)


def conversation(span: Span | None) -> dict[str, Value]:
    """The conversation that a span tells, for a span beside it to tell too."""
    said: Mapping[str, Value] = getattr(span, "attributes", None) or {}
    found = said.get(CONVERSATION)
    return {CONVERSATION: found} if found else {}


def end(span: Span, seen: Seen, error: BaseException | None = None) -> None:
    """End a span of ours with what is known of the answer."""
    names = {
        "gen_ai.response.model": seen.model,
        "gen_ai.response.id": seen.response_id,
    }
    span.set_attributes({name: value for name, value in names.items() if value})
    if seen.usage is not None:
        span.set_attributes(usage_attributes(seen.usage))
    if error is not None:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def usage_attributes(usage: TokenBuckets) -> dict[str, Value]:
    """Buckets as the official names tell them: sums that include their parts."""
    writes = usage.cache_write_5m + usage.cache_write_1h + usage.cache_write_unknown
    told = {
        "gen_ai.usage.input_tokens": usage.total_input,
        "gen_ai.usage.output_tokens": usage.total_output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read + usage.cache_audio,
        "gen_ai.usage.cache_write.input_tokens": writes,
        semconv.CACHE_WRITE_SHORT: usage.cache_write_5m,
        semconv.CACHE_WRITE_LONG: usage.cache_write_1h,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
        "gen_ai.usage.audio.input_tokens": usage.input_audio + usage.cache_audio,
        "gen_ai.usage.audio.cache_read.input_tokens": usage.cache_audio,
        "gen_ai.usage.audio.output_tokens": usage.output_audio,
    }
    return {name: value for name, value in told.items() if value or name in _ALWAYS}


_ALWAYS: Final = frozenset({"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"})
