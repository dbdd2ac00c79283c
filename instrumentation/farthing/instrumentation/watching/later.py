"""What a model call's span says once it is read, and which span that is.

A call's wrapper runs inside the span that another package began, or outside of one
that the SDK is about to begin. Inside, the current span is the one. Outside, what is to
be said waits, and the next model call's span of this context takes it as it starts.
Whoever exports the span waits for what it says to be worked out, not the agent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from weakref import ref

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import get_current_span

from farthing.instrumentation.hosts import MODEL_CALLS, OPERATION, said_by
from farthing.instrumentation.watching.quietly import say_once

MOST_WAITING: Final = 32
"""Ended spans that may wait for the exporter with what they are to say: they hold what
was asked and answered, so of more the oldest are worked out at once."""

_EMBEDDINGS: Final = "embeddings"


class Later(Protocol):
    """Knows what a span is to say."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """By name; worked out when they are read."""


@dataclass(slots=True)
class Place:
    """What a call's span is to say; and the span, once there is one, which holds its
    place until it ends. `is_told`: a wrapper of ours tells what the request holds."""

    later: list[Later] = field(default_factory=list)
    span: Any = None
    is_told: bool = False

    def add(self, later: Later) -> None:
        """Say more; lost where no span tells of the call, or it has ended."""
        if self.span is not None:
            self.later.append(later)


_ended: Final[deque[ref[_Completed]]] = deque()
_waiting: ContextVar[Place | None] = ContextVar("farthing_later", default=None)


def place_of(span: Any) -> Place | None:
    """Where one can say more of a model call's span; None where there is none."""
    return getattr(span, "farthing_place", None)


def operation_of(span: Any) -> object:
    """What a span that has begun is of; None where it does not say."""
    return said_by(span).get(OPERATION) if isinstance(span, ReadableSpan) else None


def is_conversing(span: Any) -> bool:
    """Whether a span that has begun is a model call's that has messages."""
    operation = operation_of(span)
    return operation in MODEL_CALLS and operation != _EMBEDDINGS


def place(later: Later, span: Any = None) -> Place:
    """Say what `later` knows of the model call that runs or is about to: on its `span`,
    where the caller knows it."""
    made = place_of(span or get_current_span())
    if made is None:
        made = Place([later], is_told=True)
        _waiting.set(made)
    else:
        made.is_told = True
        made.add(later)
    return made


def leave(made: Place) -> None:
    """The call is over: nothing that begins later is its span."""
    if _waiting.get() is made:
        _waiting.set(None)


def give_place(span: Any, operation: object) -> None:
    """Make a place at a model call's span that begins, or take the one that waits."""
    made = _waiting.get()
    if made is None or made.span is not None or operation == _EMBEDDINGS:
        made = Place()
    made.span = span
    span.farthing_place = made


def close_place(span: Any) -> None:
    """A span ends: what is said at its place is for whoever reads its attributes, which
    is the exporter, on its own thread."""
    made: Place | None = getattr(span, "farthing_place", None)
    if made is None:
        return
    made.span = None
    if not made.later:
        return
    said = _Completed(span._attributes, made.later)  # noqa: SLF001
    span._attributes = said  # noqa: SLF001 - what readers of the span get
    _ended.append(ref(said))
    if len(_ended) > MOST_WAITING:
        waiting = _ended.popleft()()
        if waiting is not None:
            waiting.complete()


class _Completed(Mapping[str, Any]):
    """A span's attributes, and those that are worked out when they are first read.

    Two threads may do it at once, and come to the same. No lock: the exporter's thread
    would hold it in a child that is forked meanwhile.
    """

    def __init__(self, known: Mapping[str, Any], later: Sequence[Later]) -> None:
        self._known = known
        self._later = later
        self._all: Mapping[str, Any] | None = None

    def complete(self) -> Mapping[str, Any]:
        """All of them. What they were worked out of is let go."""
        later = self._later  # before `_all`: where these are gone, that is there
        if self._all is not None:
            return self._all
        found = dict(self._known)
        for one in later:
            try:
                found.update(one.attributes)
            except Exception as error:  # noqa: BLE001 - the span is sent without
                say_once(one, error)
        self._all, self._later = found, ()
        return found

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return self.complete()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.complete())

    def __len__(self) -> int:
        return len(self.complete())

    def copy(self) -> dict[str, Any]:
        """As the attributes of a span have it, for who reads many of them."""
        return dict(self.complete())
