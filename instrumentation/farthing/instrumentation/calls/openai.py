"""OpenAI's SDK, and what others serve through it.

What the official instrumentation lacks: streamed chat usage, attempts that were given
up, responses that run in the background, cache lifetimes, searches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.watching import include_usage, stainless
from farthing.instrumentation.watching.background import Background
from farthing.instrumentation.watching.reading import (
    Api,
    Seen,
    count,
    get,
    text,
    without,
)

TRIGGER: Final = "openai"
"""The module after whose import `install` can be called."""


def install(
    observers: Sequence[Observer], settings: CallSettings | None = None
) -> None:
    """Watch the calls of the SDK, which was imported."""
    stainless.install(
        stainless.Sdk("openai", "openai", APIS, Background(read_response).fetched),
        observers,
    )
    include_usage.install(settings or CallSettings())


def read_chat(answer: Any, seen: Seen) -> None:
    """A chat completion, whole or a chunk of one, as many servers and SDKs tell it."""
    _names(answer, seen)
    told = get(answer, "usage")
    if told is not None:
        _read_chat_usage(told, seen)


def _names(answer: Any, seen: Seen) -> None:
    seen.model = text(answer, "model") or seen.model
    seen.response_id = text(answer, "id") or seen.response_id


def _read_chat_usage(told: Any, seen: Seen) -> None:
    """Others, as LiteLLM, have more ways to tell what was written into a cache."""
    prompt = get(told, "prompt_tokens_details")
    completion = get(told, "completion_tokens_details")
    lifetimes = get(prompt, "cache_creation_token_details")
    short = count(lifetimes, "ephemeral_5m_input_tokens")
    long = count(lifetimes, "ephemeral_1h_input_tokens")
    written = max(
        count(prompt, "cache_write_tokens"),
        count(prompt, "cache_creation_tokens"),
        count(told, "cache_creation_input_tokens"),
        short + long,
    )
    read = count(prompt, "cached_tokens")
    heard = count(prompt, "audio_tokens")
    thought = count(completion, "reasoning_tokens")
    spoken = count(completion, "audio_tokens")
    seen.usage = TokenBuckets(
        input=without(count(told, "prompt_tokens"), read, written, heard),
        cache_read=read,
        cache_write_5m=short,
        cache_write_1h=long,
        cache_write_unknown=written - short - long,
        input_audio=heard,
        output=without(_completed(told, thought, seen), thought, spoken),
        reasoning=thought,
        output_audio=spoken,
    )


def _completed(told: Any, thought: int, seen: Seen) -> int:
    """Output with its reasoning, which xAI counts beside it: the total then proves it,
    and is put on the span for whoever prices that."""
    said, total = count(told, "completion_tokens"), count(told, "total_tokens")
    if not thought or total != count(told, "prompt_tokens") + said + thought:
        return said
    seen.attributes[semconv.TOTAL_TOKENS] = total
    return said + thought


def read_chat_chunk(chunk: Any, seen: Seen) -> None:
    """A chunk of a chat completion that is streamed."""
    told = get(chunk, "usage")
    if told is not None or not seen.response_id:
        read_chat(chunk, seen)
    choices = get(chunk, "choices") or ()
    seen.is_whole = told is not None and not choices
    for choice in choices:
        said = get(choice, "delta", "content")
        if said:
            seen.reply.append(said)


def read_response(answer: Any, seen: Seen) -> None:
    """A response, whole or under way."""
    _names(answer, seen)
    searches = sum(_is_search(item) for item in get(answer, "output") or ())
    if searches:
        seen.attributes[semconv.WEB_SEARCHES] = searches
    told = get(answer, "usage")
    if told is None:
        return
    details = "input_tokens_details"
    read = count(told, details, "cached_tokens")
    lifetimes = get(told, details, "cache_write_tokens_details")
    short = count(lifetimes, "ttl_30m_tokens")
    long = count(lifetimes, "ttl_12h_tokens")
    written = max(count(told, details, "cache_write_tokens"), short + long)
    thought = count(told, "output_tokens_details", "reasoning_tokens")
    seen.usage = TokenBuckets(
        input=without(count(told, "input_tokens"), read, written),
        cache_read=read,
        cache_write_5m=short,
        cache_write_1h=long,
        cache_write_unknown=written - short - long,
        output=without(count(told, "output_tokens"), thought),
        reasoning=thought,
    )
    if lifetimes is not None:
        seen.attributes[semconv.CACHE_WRITE_SHORT] = short
        seen.attributes[semconv.CACHE_WRITE_LONG] = long


def _is_search(item: Any) -> bool:
    """Whether an item of the output is a search, and not the opening of a page."""
    action = text(item, "action", "type")
    return text(item, "type") == "web_search_call" and action in ("", "search")


def read_response_event(event: Any, seen: Seen) -> None:
    """An event of a response that is streamed."""
    response = get(event, "response")
    if response is not None:
        read_response(response, seen)
        seen.is_whole = get(response, "usage") is not None
    elif text(event, "type") == "response.output_text.delta":
        seen.reply.append(text(event, "delta"))


def _embedding(answer: Any, seen: Seen) -> None:
    seen.model = text(answer, "model")
    told = get(answer, "usage")
    if told is not None:
        seen.usage = TokenBuckets(input=count(told, "prompt_tokens"))


def _completion_heard(chunk: Any, seen: Seen) -> None:
    read_chat(chunk, seen)
    seen.reply.extend(text(choice, "text") for choice in get(chunk, "choices") or ())


APIS: Final[Mapping[str, Api]] = {
    "/chat/completions": Api("chat", read_chat, read_chat_chunk),
    "/responses": Api("chat", read_response, read_response_event),
    "/embeddings": Api("embeddings", _embedding, _embedding),
    "/completions": Api(
        "text_completion", read_chat, _completion_heard, is_told_elsewhere=False
    ),
}
"""Paths of the API that are model calls."""
