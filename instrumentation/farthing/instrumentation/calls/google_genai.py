"""Google's GenAI SDK, for Gemini and Vertex AI.

What the official instrumentation lacks: tokens that the provider's own tools put into
the prompt, searches, and all but the last of the calls that are made where the SDK runs
the application's functions by itself, which it tells as one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.trace import Span

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls import CallSettings, ModelCall, Observer
from farthing.instrumentation.watching import spans
from farthing.instrumentation.watching.answer import Answer
from farthing.instrumentation.watching.call import Watch
from farthing.instrumentation.watching.quietly import quietly, say_once
from farthing.instrumentation.watching.reading import (
    Api,
    Seen,
    count,
    get,
    text,
    without,
)
from farthing.instrumentation.watching.streams import Heard, HeardAsync
from farthing.instrumentation.watching.wrap import wrap, wrap_beneath

TRIGGER: Final = "google.genai"
"""The module after whose import `install` can be called."""

_PATH: Final = re.compile(r"(?:^|/)(?:models/)?([^/:]+):(\w+)(?:\?|$)")
_CLIENT: Final = "_api_client.BaseApiClient"


class _Calls:
    """The calls of the SDK; of each span that tells of one, the answer that it is about
    to be told for."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._last: WeakKeyDictionary[Span, tuple[ModelCall, Answer, int]] = (
            WeakKeyDictionary()
        )

    def request(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        watch = self._watch(client, args, kwargs)
        if watch is None:
            return wrapped(*args, **kwargs)
        quietly(watch.before)
        with watch:
            answer = wrapped(*args, **kwargs)
        quietly(watch.answered, answer)
        return answer

    async def request_async(
        self, wrapped: Any, client: Any, args: Any, kwargs: Any
    ) -> Any:
        watch = self._watch(client, args, kwargs)
        if watch is None:
            return await wrapped(*args, **kwargs)
        quietly(watch.before)
        with watch:
            answer = await wrapped(*args, **kwargs)
        quietly(watch.answered, answer)
        return answer

    def stream(
        self, wrapped: Any, client: Any, args: Any, kwargs: Any
    ) -> Iterator[Any]:
        """A generator: what it wraps sends the request with its first step."""
        watch = self._watch(client, args, kwargs, is_streamed=True)
        if watch is not None:
            quietly(watch.before)
        events = wrapped(*args, **kwargs)
        yield from events if watch is None else Heard(events, watch)

    async def stream_async(
        self, wrapped: Any, client: Any, args: Any, kwargs: Any
    ) -> AsyncIterator[Any]:
        watch = self._watch(client, args, kwargs, is_streamed=True)
        if watch is None:
            events: AsyncIterator[Any] = await wrapped(*args, **kwargs)
            return events
        quietly(watch.before)
        with watch:
            events = await wrapped(*args, **kwargs)
        return HeardAsync(events, watch)

    def _watch(
        self, client: Any, args: Any, kwargs: Any, *, is_streamed: bool = False
    ) -> Watch | None:
        try:
            names = ("http_method", "path", "request_dict")
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            found = _PATH.search(given["path"])
            api = APIS.get(found[2]) if found else None
            if found is None or api is None:
                return None
            options = client._http_options  # noqa: SLF001
            call = ModelCall(
                library="google_genai",
                provider="gcp.vertex_ai" if client.vertexai else "gcp.gemini",
                operation=api.operation,
                model=found[1],
                host=urlsplit(text(options, "base_url")).hostname or "",
                is_streamed=is_streamed,
                request=given["request_dict"],
            )
            watch = Watch(lambda: call, api, self._observers)
            self._tell_earlier(watch)
            return watch
        except Exception as error:  # noqa: BLE001 - it must not reach the agent
            say_once(_Calls, error)
            return None

    def _tell_earlier(self, watch: Watch) -> None:
        """The span of this call had another answer already: it will tell of the last
        one, so the one before has a span of ours beside it."""
        if watch.span is None:
            return
        earlier = self._last.get(watch.span)
        if earlier is not None:
            call, answer, start_ns = earlier
            seen = answer.see()
            said = {**seen.attributes, **spans.conversation(watch.span)}
            said.pop(semconv.TOOL_INPUT, None)  # in the sum of a span of ours
            span = spans.started(call, said, start_ns=start_ns, beside=watch.span)
            spans.end(span, seen)
        self._last[watch.span] = (watch.call, watch.answer, time.time_ns())


def install(
    observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Watch the calls of the SDK, which was imported."""
    calls = _Calls(observers)
    wrap("google.genai", f"{_CLIENT}.request", calls.request)
    wrap("google.genai", f"{_CLIENT}.request_streamed", calls.stream)
    wrap("google.genai", f"{_CLIENT}.async_request", calls.request_async)
    wrap("google.genai", f"{_CLIENT}.async_request_streamed", calls.stream_async)
    for models, stream in (("Models", _stream), ("AsyncModels", _stream_async)):
        wrap_beneath("google.genai", f"models.{models}.generate_content_stream", stream)


def _stream(wrapped: Any, _models: Any, args: Any, kwargs: Any) -> Any:
    """A stream is made inside the span that tells of it, and read outside."""
    span = _current()
    parts = wrapped(*args, **kwargs)
    return parts if span is None else _read_inside(span, parts)


async def _stream_async(wrapped: Any, _models: Any, args: Any, kwargs: Any) -> Any:
    span = _current()
    parts = await wrapped(*args, **kwargs)
    return parts if span is None else _read_inside_async(span, parts)


def _current() -> Span | None:
    try:
        return spans.model_span()
    except Exception as error:  # noqa: BLE001 - it must not reach the agent
        say_once(_current, error)
        return None


def _read_inside(span: Span, parts: Iterator[Any]) -> Iterator[Any]:
    try:
        while True:
            with trace.use_span(span):
                try:
                    part = next(parts)
                except StopIteration:
                    return
            yield part
    finally:
        parts.close()  # type: ignore[attr-defined]


async def _read_inside_async(
    span: Span, parts: AsyncIterator[Any]
) -> AsyncIterator[Any]:
    while True:
        with trace.use_span(span):
            try:
                part = await anext(parts)
            except StopAsyncIteration:
                return
        yield part


def _answered(answer: Any, seen: Seen) -> None:
    """A response, or a part of one: a body of JSON."""
    body = json.loads(get(answer, "body") or "{}")
    seen.model = text(body, "modelVersion") or seen.model
    seen.response_id = text(body, "responseId") or seen.response_id
    told = get(body, "usageMetadata")
    if told is not None:
        _read_usage(told, seen)
    for candidate in get(body, "candidates") or ():
        _read_candidate(candidate, seen)
        seen.is_whole = told is not None and bool(get(candidate, "finishReason"))


def _read_usage(told: Any, seen: Seen) -> None:
    read = count(told, "cachedContentTokenCount")
    audio = _audio(told, "promptTokensDetails")
    cached_audio = _audio(told, "cacheTokensDetails")
    fresh_audio = without(audio, cached_audio)
    tools = count(told, "toolUsePromptTokenCount")
    spoken = _audio(told, "candidatesTokensDetails")
    seen.usage = TokenBuckets(
        input=without(count(told, "promptTokenCount"), read, fresh_audio) + tools,
        cache_read=without(read, cached_audio),
        input_audio=fresh_audio,
        cache_audio=cached_audio,
        output=without(count(told, "candidatesTokenCount"), spoken),
        reasoning=count(told, "thoughtsTokenCount"),
        output_audio=spoken,
    )
    if tools:
        seen.attributes[semconv.TOOL_INPUT] = tools
    tier = text(told, "serviceTier")
    if tier:
        seen.attributes[semconv.SERVICE_TIER] = tier.lower()


def _audio(told: Any, details: str) -> int:
    return sum(
        count(detail, "tokenCount")
        for detail in get(told, details) or ()
        if text(detail, "modality") == "AUDIO"
    )


def _read_candidate(candidate: Any, seen: Seen) -> None:
    queries = get(candidate, "groundingMetadata", "webSearchQueries") or ()
    if queries:
        # Before Gemini 3 a grounded prompt is billed once, however many searches.
        is_once = seen.model.startswith(("gemini-1", "gemini-2"))
        seen.attributes[semconv.WEB_SEARCHES] = 1 if is_once else len(queries)
    for part in get(candidate, "content", "parts") or ():
        said = text(part, "text")
        if said and not get(part, "thought"):
            seen.reply.append(said)


def _embedded(answer: Any, seen: Seen) -> None:
    """Vertex AI tells the tokens of each text; Gemini's API tells none."""
    body = json.loads(get(answer, "body") or "{}")
    tokens = [
        get(one, "embeddings", "statistics", "token_count")
        for one in get(body, "predictions") or ()
    ]
    if tokens and all(isinstance(n, int | float) for n in tokens):
        seen.usage = TokenBuckets(input=int(sum(tokens)))


_GENERATE: Final = Api("generate_content", _answered, _answered)
_EMBED: Final = Api("embeddings", _embedded, _embedded)
APIS: Final = {
    "generateContent": _GENERATE,
    "streamGenerateContent": _GENERATE,
    "embedContent": _EMBED,
    "batchEmbedContents": _EMBED,
}
"""Methods that are model calls."""
