"""The way into SDKs that Stainless generates: OpenAI's and Anthropic's.

All their methods, `create`, `parse`, `stream`, raw responses and retries, meet in one:
`request` of the base client, which is wrapped here, below the official instrumentation.
So the span of the call is current, and the request is plain JSON.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final
from weakref import ref

from farthing.instrumentation.calls import ModelCall, Observer
from farthing.instrumentation.watching import dropped, spans
from farthing.instrumentation.watching.call import Watch, under_way
from farthing.instrumentation.watching.quietly import pass_on, quietly, say_once
from farthing.instrumentation.watching.reading import Api, text
from farthing.instrumentation.watching.streams import Heard, HeardAsync
from farthing.instrumentation.watching.wrap import wrap

Fetched = Callable[[str, Any], None]
CLOUDS: Final[Mapping[str, str]] = {
    "Azure": "azure.ai.openai",
    "Bedrock": "aws.bedrock",
    "Vertex": "gcp.vertex_ai",
}
"""A word in the name of a client's class -> whom it asks, and who is to be paid."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """A generated SDK: its module, and which paths of its API are model calls.

    `fetched` is told the path and the answer of what was fetched with GET.
    """

    library: str
    provider: str
    apis: Mapping[str, Api]
    fetched: Fetched


def install(sdk: Sdk, observers: Sequence[Observer]) -> None:
    """Wrap the SDK's base clients, streams and raw responses, as far as it has them."""
    for place, wrapper in (
        ("_base_client.SyncAPIClient.request", _request(sdk, observers)),
        ("_base_client.AsyncAPIClient.request", _request_async(sdk, observers)),
        ("_base_client.SyncAPIClient._sleep_for_retry", _sleep),
        ("_base_client.AsyncAPIClient._sleep_for_retry", _sleep),
        ("_streaming.Stream.close", _close),
        ("_streaming.AsyncStream.close", _close),
    ):
        wrap(sdk.library, place, wrapper)


def _request(sdk: Sdk, observers: Sequence[Observer]) -> Callable[..., Any]:
    def request(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        watch = _watch(sdk, observers, client, args, kwargs)
        if watch is None:
            answer = wrapped(*args, **kwargs)
            quietly(_fetched, sdk, args, kwargs, answer)
            return answer
        if watch.has_before:
            quietly(watch.before)
        with watch:
            answer = wrapped(*args, **kwargs)
        try:
            _answered(watch, answer)
        except Exception as error:  # noqa: BLE001 - as `quietly` does
            pass_on(_answered, error)
        return answer

    return request


def _request_async(sdk: Sdk, observers: Sequence[Observer]) -> Callable[..., Any]:
    async def request(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        watch = _watch(sdk, observers, client, args, kwargs)
        if watch is None:
            answer = await wrapped(*args, **kwargs)
            quietly(_fetched, sdk, args, kwargs, answer)
            return answer
        if watch.has_before:
            quietly(watch.before)
        with watch:
            answer = await wrapped(*args, **kwargs)
        try:
            _answered(watch, answer)
        except Exception as error:  # noqa: BLE001 - as `quietly` does
            pass_on(_answered, error)
        return answer

    return request


def _sleep(wrapped: Any, _client: Any, args: Any, kwargs: Any) -> Any:
    """Before an attempt is repeated: the one before it may have been billed."""
    is_lost = kwargs.get("response") is None
    quietly(_retrying, sys.exc_info()[1] if is_lost else None)
    return wrapped(*args, **kwargs)


def _retrying(error: BaseException | None) -> None:
    watch = under_way()
    if watch is not None:
        watch.retrying(error)


def _watch(
    sdk: Sdk, observers: Sequence[Observer], client: Any, args: Any, kwargs: Any
) -> Watch | None:
    """The watch of a request that is a model call, else None."""
    try:
        options = args[1] if len(args) > 1 else kwargs["options"]
        api = sdk.apis.get(options.url) or sdk.apis.get(_path(options))
        if api is None or options.method.lower() != "post":
            return None
        make = partial(_call, sdk, api, client, options, kwargs.get("stream"))
        own = None if api.is_told_elsewhere else spans.started(make())
        return Watch(make, api, observers, own=own, is_copy=True)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_watch, error)
        return None


def _call(sdk: Sdk, api: Api, client: Any, options: Any, stream: Any) -> ModelCall:
    return ModelCall(
        library=sdk.library,
        provider=_provider(client, sdk.provider),
        operation=api.operation,
        model=text(options.json_data, "model"),
        host=client.base_url.host,
        is_streamed=bool(stream),
        request=options.json_data,
    )


def _provider(client: Any, provider: str) -> str:
    """By the client's class: some speak to another provider's cloud."""
    name = type(client).__name__
    named = (cloud for word, cloud in CLOUDS.items() if word in name)
    return next(named, provider)


def _options(args: Any, kwargs: Any) -> Any:
    return args[1] if len(args) > 1 else kwargs["options"]


def _path(options: Any) -> str:
    path: str = options.url.partition("?")[0]
    return path


def _fetched(sdk: Sdk, args: Any, kwargs: Any, answer: Any) -> None:
    options = _options(args, kwargs)
    if options.method.lower() == "get":
        sdk.fetched(_path(options), answer)


def _answered(watch: Watch, answer: Any) -> None:
    """Read an answer that is whole, or keep the watch with one that is not."""
    kind: Any = type(answer)
    form = _form(kind)
    if form is None:
        watch.answered(answer)
    elif form == _STREAM:
        _follow(answer, watch)
    elif watch.call.is_streamed or not answer.http_response.is_closed:
        watch.opened()
        answer.parse = _Parsing(answer, watch)
    else:
        watch.answered(answer.http_response.json())


_STREAM: Final = "__stream__"
_RAW: Final = "parse"


@lru_cache(maxsize=256)
def _form(kind: Any) -> str | None:
    """Whether it is a stream, or raw; None of an answer that is whole. Asked of the
    class: a model looks for long before it says that it has no such method."""
    return next((name for name in (_STREAM, _RAW) if hasattr(kind, name)), None)


def _follow(stream: Any, watch: Watch) -> None:
    """Watch the events of a stream.

    Its own iterator is replaced, so that it stays the object that the SDK made. Nothing
    that hangs on it leads back to it, so that one that is dropped is gone at once.
    """
    follow = HeardAsync if hasattr(stream, "__aiter__") else Heard
    stream._iterator = follow(stream._iterator, watch)  # noqa: SLF001
    stream.farthing_watch = watch


def _close(wrapped: Any, stream: Any, args: Any, kwargs: Any) -> Any:
    """Of a stream: what was not read by now never will be."""
    watch = getattr(stream, "farthing_watch", None)
    if watch is not None:
        quietly(watch.left)
    return wrapped(*args, **kwargs)


class _Parsing:
    """The method `parse` of one raw response, after which its answer, or its stream, is
    there. Holds no response, so that one that is dropped is gone at once."""

    def __init__(self, raw: Any, watch: Watch) -> None:
        self._raw = ref(raw)
        self._watch = watch
        self._followed = dropped.follow(raw, watch)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raw: Any = self._raw()
        parsed = type(raw).parse(raw, *args, **kwargs)
        if not self._followed.detach():
            return parsed  # it was parsed before
        if inspect.iscoroutine(parsed):
            return _parsed_async(self._watch, parsed)
        quietly(_answered, self._watch, parsed)
        return parsed


async def _parsed_async(watch: Watch, parsing: Any) -> Any:
    parsed = await parsing
    quietly(_answered, watch, parsed)
    return parsed
