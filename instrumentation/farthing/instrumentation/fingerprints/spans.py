"""Which span is a model call's, and how attributes reach it.

A call's wrapper runs inside the span that another package began, or outside of one
that the SDK is about to begin. Inside, the current span is the one. Outside, what is to
be said waits, and the next model call's span of this context takes it as it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import get_current_span

from farthing.instrumentation.fingerprints.teller import Attributes
from farthing.instrumentation.watching.quietly import say_once

OPERATION: Final = "gen_ai.operation.name"
Later = Callable[[], Attributes]
"""Works out what a span is to say: whoever exports it waits for that, not the agent."""

MODEL_CALLS: Final = frozenset(("chat", "generate_content", "text_completion"))


@dataclass(slots=True)
class Place:
    """What a call's span is to say, worked out when it is read; and the span, once
    there is one, which holds its place until it ends."""

    later: list[Later] = field(default_factory=list)
    span: Any = None

    def add(self, later: Later) -> None:
        """Say more; lost where no span tells of the call, or it has ended."""
        if self.span is not None:
            self.later.append(later)

    def take(self, span: Any) -> None:
        """This is the span."""
        self.span = span
        span.farthing_fingerprints = self


_waiting: ContextVar[Place | None] = ContextVar("farthing_fingerprints", default=None)


def is_model_call(span: Any) -> bool:
    """Whether a span that has begun is a model call's."""
    attributes = getattr(span, "attributes", None) or {}
    return attributes.get(OPERATION) in MODEL_CALLS


def is_told(span: Any) -> bool:
    """Whether a wrapper of ours tells what the span's request holds."""
    return hasattr(span, "farthing_fingerprints")


def place(later: Later, span: Any = None) -> Place:
    """Say what `later` returns of the model call that runs or is about to: on its
    `span`, where the caller knows it."""
    made = Place([later])
    if span is None:
        span = get_current_span()
        if not span.is_recording() or not is_model_call(span):
            _waiting.set(made)
            return made
    made.take(span)
    return made


def leave(made: Place) -> None:
    """The call is over: nothing that begins later is its span."""
    if _waiting.get() is made:
        _waiting.set(None)


class FingerprintProcessor(SpanProcessor):
    """Gives what waits to the model call's span that begins, and to whoever reads the
    attributes of one that ended: the exporter, on its own thread."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context  # what waits is in a variable of the calling context
        made = _waiting.get()
        if made is None or made.span is not None or not is_model_call(span):
            return
        made.take(span)

    def _on_ending(self, span: Span) -> None:
        made: Place | None = getattr(span, "farthing_fingerprints", None)
        if made is not None:
            made.span = None
            known: Any = span._attributes  # noqa: SLF001
            said: Any = _Completed(known, made.later)
            span._attributes = said  # noqa: SLF001 - what readers of the span get

    def on_end(self, span: ReadableSpan) -> None:
        """Nothing: `_on_ending` was before all readers."""


class _Completed(Mapping[str, Any]):
    """A span's attributes, and those that are worked out when they are first read."""

    def __init__(self, known: Mapping[str, Any], later: Sequence[Later]) -> None:
        self._known = known
        self._later = later

    @cached_property
    def _all(self) -> Mapping[str, Any]:
        found = dict(self._known)
        for later in self._later:
            try:
                found.update(later())
            except Exception as error:  # noqa: BLE001 - the span is sent without
                say_once(later, error)
        return found

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
