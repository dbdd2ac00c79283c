"""Anthropic's SDK, also where it speaks to Bedrock and Vertex.

What the official instrumentation lacks: lifetimes of cache writes, the service tier,
searches, where it was served; the results of batches; attempts that were given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from farthing import semconv
from farthing.economics.usage import TokenBuckets
from farthing.instrumentation.calls import CallSettings, Observer
from farthing.instrumentation.watching import stainless
from farthing.instrumentation.watching.batches import Batches
from farthing.instrumentation.watching.reading import Api, Seen, count, get, text

TRIGGER: Final = "anthropic"
"""The module after whose import `install` can be called."""

_CREATED: Final = "cache_creation"
_SHORT: Final = "ephemeral_5m_input_tokens"
_LONG: Final = "ephemeral_1h_input_tokens"
_WORDS: Final[Mapping[str, str]] = {
    "service_tier": "anthropic.response.service_tier",
    "inference_geo": semconv.GEO,
    "speed": semconv.SPEED,
}
"""Words in the usage -> attributes that tell how it was served."""


def install(
    observers: Sequence[Observer], _settings: CallSettings | None = None
) -> None:
    """Watch the calls of the SDK, which was imported."""
    batches = Batches("anthropic", "anthropic", read_message)
    stainless.install(
        stainless.Sdk("anthropic", "anthropic", APIS, batches.fetched), observers
    )


def read_message(answer: Any, seen: Seen) -> None:
    """A whole message."""
    seen.model = text(answer, "model") or seen.model
    seen.response_id = text(answer, "id") or seen.response_id
    read_usage(get(answer, "usage"), seen)


def read_usage(told: Any, seen: Seen) -> None:
    """Usage of a message, or of a part of one: what comes later counts."""
    if told is None:
        return
    known = seen.raw_usage
    for name in (
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        _CREATED,
        "output_tokens_details",
        "server_tool_use",
        *_WORDS,
    ):
        value = get(told, name)
        if value is not None:
            known[name] = value
    short, long = count(known, _CREATED, _SHORT), count(known, _CREATED, _LONG)
    written = max(count(known, "cache_creation_input_tokens"), short + long)
    thought = count(known, "output_tokens_details", "thinking_tokens")
    seen.usage = TokenBuckets(
        input=count(known, "input_tokens"),
        cache_read=count(known, "cache_read_input_tokens"),
        cache_write_5m=short,
        cache_write_1h=long,
        cache_write_unknown=written - short - long,
        output=max(count(known, "output_tokens") - thought, 0),
        reasoning=thought,
    )
    _say(known, seen)


def _say(known: Mapping[str, Any], seen: Seen) -> None:
    said = seen.attributes
    if known.get(_CREATED) is not None:
        said[f"anthropic.usage.{_CREATED}.{_SHORT}"] = count(known, _CREATED, _SHORT)
        said[f"anthropic.usage.{_CREATED}.{_LONG}"] = count(known, _CREATED, _LONG)
    thought = count(known, "output_tokens_details", "thinking_tokens")
    if thought:  # older releases of the SDK do not know it
        said["gen_ai.usage.reasoning.output_tokens"] = thought
    searches = count(known, "server_tool_use", "web_search_requests")
    if searches:
        said[semconv.WEB_SEARCHES] = searches
    fetches = count(known, "server_tool_use", "web_fetch_requests")
    if fetches:
        said[semconv.WEB_FETCHES] = fetches
    for name, attribute in _WORDS.items():
        word = text(known, name)
        if word and word != "not_available":
            said[attribute] = word


def read_event(event: Any, seen: Seen) -> None:
    """An event of a message that is streamed."""
    kind = text(event, "type")
    if kind == "message_start":
        read_message(get(event, "message"), seen)
    elif kind == "message_delta":
        read_usage(get(event, "usage"), seen)
        seen.is_whole = bool(get(event, "delta", "stop_reason"))
    elif kind == "content_block_delta":
        said = text(event, "delta", "text")
        if said:
            seen.reply.append(said)


APIS: Final[Mapping[str, Api]] = {"/v1/messages": Api("chat", read_message, read_event)}
"""Paths of the API that are model calls."""
