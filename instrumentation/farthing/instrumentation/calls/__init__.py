"""Model calls as the SDKs make them: one file per library, one shape for all.

A library's file wraps what sends a request. Its `install(observers, settings)` is
called after `TRIGGER` was imported and the official instrumentation, if there is one,
was loaded. It tells the observers before a request is sent and after it ended. What the
guard raises (RunStopped) stops the call; any other failure of ours is logged once, and
the call goes on as if we were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.watching.reading import Seen


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What the environment says to the libraries' files.

    `include_usage` is `FARTHING_INCLUDE_USAGE`: `off`, or more hosts that take
    OpenAI's `stream_options.include_usage`, joined by commas.
    """

    include_usage: str = ""


@dataclass(slots=True)
class ModelCall:
    """A call that is about to be sent: whose, to which model, and its arguments.

    `request` holds what will be sent: the body as JSON (OpenAI, Anthropic, Bedrock) or
    the library's keyword arguments (others). An observer may set its entries before the
    call is sent; what is in them may be the application's own: replace lists, never
    change them. `state` is the observers' own, by their name; `span` the OpenTelemetry
    span that tells of the call, None where none records or it has not begun.
    """

    library: str
    provider: str
    operation: str
    model: str
    host: str
    is_streamed: bool
    request: MutableMapping[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    span: Any = None


class Ended(NamedTuple):
    """How a call ended.

    `is_complete` is false where a stream was left or cut before its end: what is known
    of its usage is then a lower bound. `response` is what the SDK returned, None where
    it was streamed. `read` is what was seen of it: read when it is first asked for, so
    ask in `after` only for what cannot wait.
    """

    read: Callable[[], Seen] = Seen
    is_complete: bool = True
    error: BaseException | None = None
    response: Any = None

    @property
    def usage(self) -> TokenBuckets | None:
        """None where the provider told none."""
        return self.read().usage

    @property
    def model(self) -> str:
        """The model that answered, as the provider calls it; empty where it did not."""
        return self.read().model

    @property
    def response_id(self) -> str:
        """The provider's name for the answer; empty where it has none."""
        return self.read().response_id

    @property
    def streamed(self) -> str:
        """The text that was streamed, as far as it was seen."""
        return "".join(self.read().reply)


class Observer(Protocol):
    """What wants to know of model calls."""

    def before(self, call: ModelCall) -> None:
        """Told before the request is sent; may change it, or raise to stop it."""

    def after(self, call: ModelCall, ended: Ended) -> None:
        """Told once per call that was sent, also where it failed or was left early."""


class Patient:
    """An observer that changes and stops nothing: of a request that nobody changes any
    more it may be asked when the span is exported, and be told nothing before."""

    def attributes(self, call: ModelCall, ended: Ended) -> Mapping[str, Any]:
        """What the span is to say of a call that has ended."""
        del call, ended
        return {}
