"""Puts tags on every span and log record, as they begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, cast

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from farthing import semconv
from farthing.instrumentation.context import (
    AGENT,
    process_run_id,
    said_tags,
)
from farthing.instrumentation.hosts import MODEL_CALLS, Surroundings, said_by
from farthing.instrumentation.isolate import attempt
from farthing.instrumentation.outcomes import OUTCOME

Reader = Callable[[], Mapping[str, str]]
"""What a framework knows of the work that is done now: attributes by name."""


_INHERITED: Final = (AGENT, semconv.TASK_ID)
"""Whose work a span is, from the span that it is a part of."""
_PARTS: Final = MODEL_CALLS | {"execute_tool", OUTCOME}
_CONVERSATION: Final = "gen_ai.conversation.id"


class TagSpans(SpanProcessor):
    """Sets tags on each span that starts: what code, a caller or the environment gave;
    for what nobody gave, what the frameworks know; the agent's name from the parent.

    Model calls, tool calls and outcomes without a task, a conversation or a trace
    around them belong to one run per process: a script is a run, not each call of it.
    """

    def __init__(self, readers: list[Reader], surroundings: Surroundings) -> None:
        self._readers = readers
        self._surroundings = surroundings

    def on_start(self, span: Span, parent_context: otel.Context | None = None) -> None:
        attempt("tag a span", self._tag, span, parent_context)

    def _tag(self, span: Span, parent_context: otel.Context | None) -> None:
        here = otel.get_current() if parent_context is None else parent_context
        parent = trace.get_current_span(here)
        tags = known_tags(self._readers, here)
        said = said_by(span)
        if isinstance(parent, ReadableSpan):
            known = said_by(parent)
            self._surroundings.note(span, parent, known)
            tags = {**{n: str(known[n]) for n in _INHERITED if n in known}, **tags}
        elif _is_alone(said, parent):
            tags = {semconv.TASK_ID: process_run_id(), **tags}
        new = {name: value for name, value in tags.items() if name not in said}
        if new:
            span.set_attributes(new)


def _is_alone(said: Mapping[str, object], parent: trace.Span) -> bool:
    """Whether a span that says this is a part of an agent's work that is in a trace of
    its own, and in no conversation."""
    is_root = parent is trace.INVALID_SPAN or not parent.get_span_context().is_valid
    return (
        is_root
        and said.get("gen_ai.operation.name") in _PARTS
        and _CONVERSATION not in said
    )


class TagLogRecords(LogRecordProcessor):
    """Sets the same tags on each log record."""

    def __init__(self, readers: list[Reader]) -> None:
        self._readers = readers

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        attempt("tag a log record", self._tag, log_record)

    def _tag(self, log_record: ReadWriteLogRecord) -> None:
        record = log_record.log_record
        said = cast("MutableMapping[str, Any]", record.attributes)  # the SDK's, mutable
        for name, value in known_tags(self._readers, record.context).items():
            if name not in said:
                said[name] = value

    def enabled(self, **asked: Any) -> bool:
        """Nobody logs for our sake."""
        del asked
        return False

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        del timeout_millis
        return True


def known_tags(
    readers: list[Reader], context: otel.Context | None = None
) -> Mapping[str, str]:
    """Attributes by name: what code or a caller gave, else what the environment says,
    else what a framework knows."""
    tags = said_tags(context)
    for reader in readers:
        known = attempt("read the tags of a framework", reader)
        if known:
            tags = {**known, **tags}
    return tags
