"""Amazon Bedrock through boto3: converse and invoke_model.

What the official instrumentation lacks: lifetimes of cache writes, the service tier,
attempts that were given up.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls import CallSettings, ModelCall, Observer
from farthing.instrumentation.calls.anthropic import read_event, read_message
from farthing.instrumentation.watching.call import Watch, under_way
from farthing.instrumentation.watching.events import Events
from farthing.instrumentation.watching.quietly import quietly, say_once
from farthing.instrumentation.watching.reading import Api, Seen, count, get, text
from farthing.instrumentation.watching.wrap import wrap, wrap_beneath

TRIGGER: Final = "botocore.client"
"""The module after whose import `install` can be called."""

_SERVICE: Final = "bedrock-runtime"
_LIFETIMES: Final = {"5m": semconv.CACHE_WRITE_SHORT, "1h": semconv.CACHE_WRITE_LONG}
_COUNTED: Final = "x-amzn-bedrock-{}-token-count"


def install(
    observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Watch the calls of every client for Bedrock's runtime."""
    wrap_beneath("botocore", "client.BaseClient._make_api_call", _call(observers))
    wrap("botocore", "endpoint.Endpoint._needs_retry", _needs_retry)


def _call(observers: Sequence[Observer]) -> Callable[..., Any]:
    def call(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        watch = _watch(observers, client, args)
        if watch is None:
            return wrapped(*args, **kwargs)
        quietly(watch.before)
        with watch:
            answer = wrapped(*args, **kwargs)
        quietly(_answered, watch, args[0], answer)
        return answer

    return call


def _watch(observers: Sequence[Observer], client: Any, args: Any) -> Watch | None:
    try:
        if client.meta.service_model.service_name != _SERVICE:
            return None
        operation, params = args
        api = APIS.get(operation)
        if api is None:
            return None
        call = ModelCall(
            library="bedrock",
            provider="aws.bedrock",
            operation=api.operation,
            model=text(params, "modelId"),
            host=client.meta.endpoint_url.partition("://")[2].partition("/")[0],
            is_streamed="Stream" in operation,
            request=params,
        )
        return Watch(lambda: call, api, observers)
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_watch, error)
        return None


def _answered(watch: Watch, operation: str, answer: dict[str, Any]) -> None:
    stream = _STREAMS.get(operation)
    if stream is not None:
        answer[stream] = Events(answer[stream], watch)
    else:
        watch.answered(answer)


def _needs_retry(wrapped: Any, _endpoint: Any, args: Any, kwargs: Any) -> Any:
    """Whether an attempt is repeated: it may have been billed all the same."""
    again = wrapped(*args, **kwargs)
    watch = under_way()
    if again and watch is not None:
        error = kwargs.get("caught_exception")
        quietly(watch.retrying, args[4] if len(args) > 4 else error)
    return again


def _conversed(answer: Any, seen: Seen) -> None:
    """An answer of converse, or the last event of its stream."""
    told = get(answer, "usage")
    if told is None:
        return
    writes = dict.fromkeys(_LIFETIMES.values(), 0)
    for detail in get(told, "cacheDetails") or ():
        name = _LIFETIMES.get(text(detail, "ttl"))
        if name:
            writes[name] += count(detail, "inputTokens")
    short, long = writes.values()
    written = max(count(told, "cacheWriteInputTokens"), short + long)
    seen.usage = TokenBuckets(
        input=count(told, "inputTokens"),
        cache_read=count(told, "cacheReadInputTokens"),
        cache_write_5m=short,
        cache_write_1h=long,
        cache_write_unknown=written - short - long,
        output=count(told, "outputTokens"),
    )
    seen.attributes.update({name: n for name, n in writes.items() if n})
    tier = text(answer, "serviceTier", "type")
    if tier:
        seen.attributes[semconv.SERVICE_TIER] = tier
    seen.is_whole = True


def _conversing(event: Any, seen: Seen) -> None:
    _conversed(get(event, "metadata"), seen)
    said = get(event, "contentBlockDelta", "delta", "text")
    if said:
        seen.reply.append(said)


def _invoked(answer: Any, seen: Seen) -> None:
    """An answer of invoke_model: the model's own JSON, which is read and put back."""
    body = import_module("botocore.response").StreamingBody
    try:
        raw = answer["body"].read()
    except Exception as error:  # noqa: BLE001 - raised where the agent reads
        answer["body"] = body(_Cut(error), None)
        seen.attributes[semconv.USAGE_STATE] = semconv.USAGE_MISSING
        return
    answer["body"] = body(io.BytesIO(raw), len(raw))
    read_message(json.loads(raw), seen)
    headers = get(answer, "ResponseMetadata", "HTTPHeaders") or {}
    if seen.usage is None or not seen.usage.total_output:
        _read_headers(headers, seen)
    seen.attributes.pop("anthropic.response.service_tier", None)


class _Cut:
    """What is behind a body that could not be read: whoever reads it hears why."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, *_size: int) -> bytes:
        raise self._error


def _read_headers(headers: Mapping[str, str], seen: Seen) -> None:
    given, made = (headers.get(_COUNTED.format(w)) for w in ("input", "output"))
    if given and made:
        seen.usage = TokenBuckets(input=int(given), output=int(made))


def _invoking(event: Any, seen: Seen) -> None:
    chunk = get(event, "chunk", "bytes")
    if chunk:
        read_event(json.loads(chunk), seen)


APIS: Final[Mapping[str, Api]] = {
    "Converse": Api("chat", _conversed, _conversing),
    "ConverseStream": Api("chat", _conversed, _conversing),
    "InvokeModel": Api("chat", _invoked, _invoking),
    "InvokeModelWithResponseStream": Api("chat", _invoked, _invoking),
}
"""Operations that are model calls."""
_STREAMS: Final = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}
