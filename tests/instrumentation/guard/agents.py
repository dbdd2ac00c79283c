"""A tiny agent that makes model calls the way `calls` does, without any SDK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls import Ended, ModelCall, Observer
from farthing.instrumentation.fingerprints.hashes import Hasher
from farthing.instrumentation.fingerprints.observer import FingerprintObserver
from farthing.instrumentation.fingerprints.teller import Teller
from farthing.instrumentation.guard.guard import Guard
from farthing.instrumentation.guard.runs import Run
from farthing.instrumentation.guard.settings import read_settings
from farthing.instrumentation.guard.shared import Limits
from farthing.instrumentation.watching.reading import Seen

MODEL = "gpt-4.1"
"""2 USD per million tokens of input and 8 of output since it began."""

USAGE = TokenBuckets(input=1_000, output=1_000)
COST_USD = "0.010"


def ended(
    usage: TokenBuckets | None, model: str = MODEL, response_id: str = "", **ended: Any
) -> Ended:
    """How a call ended whose answer says this."""
    seen = Seen(usage, model, response_id)
    return Ended(lambda: seen, **ended)


@dataclass
class Agent:
    """Calls, and what was really sent."""

    observers: Sequence[Observer]
    library: str = "openai"
    provider: str = "openai"
    model: str = MODEL
    sent: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, request: dict[str, Any] | None = None) -> ModelCall:
        """Send a request. Raises what the guard raises, and then nothing is sent."""
        made = request or {"messages": [{"role": "user", "content": "go on " * 500}]}
        call = ModelCall(
            library=self.library,
            provider=self.provider,
            operation="chat",
            model=self.model,
            host="",
            is_streamed=False,
            request={"model": self.model, "max_tokens": 1_000, **made},
        )
        for observer in self.observers:
            observer.before(call)
        self.sent.append(dict(call.request))
        return call

    def end(self, call: ModelCall, how: Ended | None = None) -> None:
        """The answer to a request is here."""
        for observer in self.observers:
            observer.after(call, how or ended(USAGE, self.model))

    def call(self, request: dict[str, Any] | None = None, **how: Any) -> None:
        """A whole call."""
        call = self.begin(request)
        told = {"usage": USAGE, "model": self.model, **how}
        self.end(call, ended(**told))


def agent(
    environment: dict[str, str],
    *,
    run: Callable[[], Run] = Run,
    shared: Limits | None = None,
    **about: Any,
) -> Agent:
    """An agent under a guard with these variables."""
    teller = Teller(Hasher(b"a key"))
    guard = Guard(
        read_settings(environment), teller=teller, current_run=run, shared=shared
    )
    return Agent([FingerprintObserver(teller), guard], **about)


def with_result(text: str, *, number: int = 0, name: str = "search") -> dict[str, Any]:
    """A request that hands the model a tool's result."""
    function = {"name": name, "arguments": f'{{"q": "{number}"}}'}
    return {
        "messages": [
            {"role": "user", "content": "find it"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"c{number}", "function": function}],
            },
            {"role": "tool", "tool_call_id": f"c{number}", "content": text},
        ]
    }
