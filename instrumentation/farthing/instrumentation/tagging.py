"""Puts tags on every span and log record, as they begin."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

from opentelemetry import context as otel
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from farthing import semconv
from farthing.instrumentation.context import (
    AGENT,
    SPAN,
    process_run_id,
    said_tags,
)
from farthing.instrumentation.frameworks import Reader
from farthing.instrumentation.hosts import (
    MODEL_CALLS,
    OPERATION,
    Surroundings,
    said_by,
)
from farthing.instrumentation.isolate import attempt, tell
from farthing.instrumentation.outcomes import OUTCOME
from farthing.instrumentation.watching.later import close_place, give_place

_INHERITED: Final = (AGENT, semconv.TASK_ID)
"""Whose work a span is, from the span that it is a part of."""
_PARTS: Final = MODEL_CALLS | {"execute_tool", OUTCOME}
_CONVERSATION: Final = "gen_ai.conversation.id"


class TagSpans(SpanProcessor):
    """Sets tags on each span that starts: what code, a caller or the environment gave;
    for what nobody gave, what the frameworks know; the agent's name from the parent.

    Model calls, tool calls and outcomes without a task, a conversation or a trace
    around them belong to one run per process: a script is a run, not each call of it.
    A model call's span also gets a place where more can be said of it (`later.py`).
    """

    # Around a call that has emptied the processor's caches each function costs a
    # microsecond: so these do by themselves what others have functions for.

    def __init__(self, readers: list[Reader], surroundings: Surroundings) -> None:
        self._readers = readers
        self._surroundings = surroundings

    def on_start(self, span: Span, parent_context: otel.Context | None = None) -> None:
        try:
            self._tag(span, parent_context)
        except Exception as error:  # noqa: BLE001 - as `attempt` does
            tell("tag a span", error)

    def _on_ending(self, span: Span) -> None:
        try:
            close_place(span)
        except Exception as error:  # noqa: BLE001 - as `attempt` does
            tell("keep what a span is to say", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing: `_on_ending` was before all readers."""

    def _tag(self, span: Span, parent_context: otel.Context | None) -> None:
        here = otel.get_current() if parent_context is None else parent_context
        said = said_by(span)
        parent: Any = here.get(SPAN)
        operation = said.get(OPERATION)
        if operation in MODEL_CALLS:
            give_place(span, operation)
        known = known_tags(self._readers, here) if self._readers else said_tags(here)
        new = {**known, **said}
        if isinstance(parent, ReadableSpan):
            of_parent = said_by(parent)
            self._surroundings.note(span, parent, of_parent)
            for name in _INHERITED:
                if name not in new and name in of_parent:
                    new[name] = str(of_parent[name])
        elif semconv.TASK_ID not in new and _is_alone(said, parent):
            new[semconv.TASK_ID] = process_run_id()
        if type(said) is dict:  # which nobody else has yet
            said.update(new)
        else:
            span.set_attributes(new)


def _is_alone(said: Mapping[str, object], parent: Any) -> bool:
    """Whether a span that says this is a part of an agent's work that is in a trace of
    its own, and in no conversation."""
    return (
        said.get(OPERATION) in _PARTS
        and _CONVERSATION not in said
        and (parent is None or not parent.get_span_context().is_valid)
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
