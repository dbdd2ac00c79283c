"""LiteLLM, which has no official instrumentation and mostly its own HTTP client.

Each call has a span of ours. Where LiteLLM goes through an SDK that is instrumented,
that one's span is inside, and the ledger makes them one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from farthing import semconv
from farthing.instrumentation.calls import CallSettings, ModelCall, Observer
from farthing.instrumentation.calls.openai import (
    read_chat,
    read_chat_chunk,
    read_response,
    read_response_event,
)
from farthing.instrumentation.watching import spans
from farthing.instrumentation.watching.call import Watch, under_way
from farthing.instrumentation.watching.events import Events, EventsAsync, nothing
from farthing.instrumentation.watching.include_usage import Hosts, asked, is_tail
from farthing.instrumentation.watching.quietly import quietly, say_once
from farthing.instrumentation.watching.reading import (
    Api,
    Seen,
    count,
    get,
)
from farthing.instrumentation.watching.wrap import wrap

TRIGGER: Final = "litellm"
"""The module after whose import `install` can be called."""

_OPENAI_LIKE: Final = frozenset({"openai", "custom_openai", "hosted_vllm", "azure"})


class _Calls:
    """Wraps the functions of one API."""

    def __init__(
        self,
        name: str,
        api: Api,
        names: tuple[str, str],
        *,
        observers: Sequence[Observer],
        hosts: Hosts,
    ) -> None:
        self._api = api
        self._names = names
        self._is_twins = f"a{name}"
        self._observers = observers
        self._hosts = hosts

    def call(self, wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        watch = self._watch(args, kwargs)
        if watch is None:
            return wrapped(*args, **kwargs)
        quietly(watch.before)
        hide = self._asks_for_usage(watch)
        with watch:
            answer = wrapped(**watch.call.request)
        return _followed(watch, answer, partial(Events, hide=hide))

    async def call_async(
        self, wrapped: Any, _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        watch = self._watch(args, kwargs)
        if watch is None:
            return await wrapped(*args, **kwargs)
        quietly(watch.before)
        hide = self._asks_for_usage(watch)
        with watch:
            answer = await wrapped(**watch.call.request)
        return _followed(watch, answer, partial(EventsAsync, hide=hide))

    def _watch(self, args: Any, kwargs: Any) -> Watch | None:
        """None inside LiteLLM's own call: its functions call each other, the
        asynchronous ones their twins, on another thread."""
        try:
            outer = under_way()
            is_inner = outer is not None and outer.call.library == "litellm"
            if is_inner or kwargs.get(self._is_twins):
                return None
            if len(args) > len(self._names):
                return None
            request = {**dict(zip(self._names, args, strict=False)), **kwargs}
            call = _call(self._api, request)
            own = spans.started(call)
            return Watch(lambda: call, self._api, self._observers, own=own)
        except Exception as error:  # noqa: BLE001 - it must not reach the agent
            say_once(_Calls, error)
            return None

    def _asks_for_usage(self, watch: Watch) -> Callable[[Any], bool]:
        """What is to be hidden of a stream for which the usage was asked."""
        call = watch.call
        if not call.is_streamed or self._api is not _CHAT:
            return nothing
        # LiteLLM translates the option for all but OpenAI and what speaks like it.
        is_safe = call.provider not in _OPENAI_LIKE
        host = "localhost" if is_safe else call.host or "api.openai.com"
        options = asked(call.request.get("stream_options"), host, self._hosts)
        if options is None:
            return nothing
        call.request["stream_options"] = options
        return is_tail


def install(
    observers: Sequence[Observer], settings: CallSettings | None = None
) -> None:
    """Wrap the library's functions, which it has under two names."""
    hosts = Hosts(settings or CallSettings())
    for module, name, api, names in FUNCTIONS:
        calls = _Calls(name, api, names, observers=observers, hosts=hosts)
        for home in ("", module):
            wrap("litellm", f"{home}.{name}", calls.call)
            wrap("litellm", f"{home}.a{name}", calls.call_async)


def _call(api: Api, request: dict[str, Any]) -> ModelCall:
    model, provider, _, base = import_module("litellm").get_llm_provider(
        model=request.get("model", ""),
        custom_llm_provider=request.get("custom_llm_provider"),
        api_base=request.get("api_base") or request.get("base_url"),
    )
    return ModelCall(
        library="litellm",
        provider=provider,
        operation=api.operation,
        model=model,
        host=urlsplit(base or "").hostname or "",
        is_streamed=bool(request.get("stream")),
        request=request,
    )


def _followed(watch: Watch, answer: Any, follow: Callable[[Any, Watch], Any]) -> Any:
    """The answer; one that is streamed is watched to its end."""
    try:
        if watch.call.is_streamed:
            return follow(answer, watch)
        watch.answered(answer)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_followed, error)
    return answer


def _chat(answer: Any, seen: Seen) -> None:
    read_chat(answer, seen)
    _read_extras(answer, seen)


def _chunk(chunk: Any, seen: Seen) -> None:
    read_chat_chunk(chunk, seen)
    _read_extras(chunk, seen)
    seen.is_whole = get(chunk, "usage") is not None


def _read_extras(answer: Any, seen: Seen) -> None:
    tier = get(answer, "service_tier")
    if isinstance(tier, str):
        seen.attributes[semconv.SERVICE_TIER] = tier
    searches = count(answer, "usage", "server_tool_use", "web_search_requests")
    if searches:
        seen.attributes[semconv.WEB_SEARCHES] = searches


_CHAT: Final = Api("chat", _chat, _chunk)
_EMBED: Final = Api("embeddings", _chat, _chat)
_RESPOND: Final = Api("chat", read_response, read_response_event)
FUNCTIONS: Final[Sequence[tuple[str, str, Api, tuple[str, str]]]] = (
    ("main", "completion", _CHAT, ("model", "messages")),
    ("main", "embedding", _EMBED, ("model", "input")),
    ("responses.main", "responses", _RESPOND, ("input", "model")),
)
"""Module and name of a function, which has an asynchronous twin; its API; the names of
its first arguments."""
