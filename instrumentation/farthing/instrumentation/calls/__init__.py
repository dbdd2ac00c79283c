"""Model calls as the SDKs make them: one file per library, one shape for all.

A library's file wraps what sends a request. Its `install(observers, settings)` is
called after `TRIGGER` was imported and the official instrumentation, if there is one,
was loaded. It tells the observers before a request is sent and after it ended. What the
guard raises (RunStopped) stops the call; any other failure of ours is logged once, and
the call goes on as if we were not there.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from farthing.economics.usage import TokenBuckets


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
    """How a call ended. `usage` is None where the provider told none.

    `is_complete` is false where a stream was left or cut before its end: what is known
    of its usage is then a lower bound. `response` is what the SDK returned, None where
    it was streamed; `reply` is the text that was streamed, where it was gathered.
    """

    usage: TokenBuckets | None
    model: str = ""
    response_id: str = ""
    is_complete: bool = True
    error: BaseException | None = None
    response: Any = None
    reply: str | None = None


class Observer(Protocol):
    """What wants to know of model calls."""

    def before(self, call: ModelCall) -> None:
        """Told before the request is sent; may change it, or raise to stop it."""

    def after(self, call: ModelCall, ended: Ended) -> None:
        """Told once per call that was sent, also where it failed or was left early."""
