"""OpenAI's chat completions and embeddings."""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farthing.collector.demo.providers.answer import Answer, Endpoint, Parts, Whole
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill, Item
from farthing.economics.usage import TokenBuckets

_ERRORS: Final = {
    429: ("rate_limit_exceeded", "Rate limit reached"),
    500: ("server_error", "The server had an error"),
}


def refuse(status: int) -> Response:
    """As OpenAI refuses: an error object, and when to come back."""
    code, message = _ERRORS.get(status, ("invalid_request_error", "Refused"))
    error = {"message": message, "type": code, "param": None, "code": code}
    headers = {"retry-after-ms": "10", "retry-after": "1"} if status == 429 else {}
    return JSONResponse({"error": error}, status, headers)


def event(data: Any) -> bytes:
    """A server-sent event without a name."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def chat(ask: Asked, bill: Bill, _request: Request) -> Answer:
    """`POST /chat/completions`."""
    number = bill.number()
    has_audio = "text" not in ask.words
    item = bill.add(
        Item(
            provider="openai",
            api="chat",
            model=ask.body["model"],
            response_id=f"chatcmpl-{number:08d}",
            buckets=TokenBuckets(
                input=96 + number, input_audio=16 * has_audio, cache_read=1024,
                cache_write_5m=64, output=164 + number, reasoning=128,
                output_audio=8 * has_audio,
            ),
            tier=ask.body.get("service_tier") or "default",
        )
    )  # fmt: skip
    if ask.body.get("stream"):
        return _stream(ask, item)
    return Whole({**_head(item, "chat.completion"), **_body(ask, item)}, item)


def _head(item: Item, kind: str) -> dict[str, Any]:
    return {
        "id": item.response_id,
        "object": kind,
        "created": int(time.time()),
        "model": item.model,
        "service_tier": item.tier,
        "system_fingerprint": "fp_standin",
    }


def _body(ask: Asked, item: Item) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(ask.answer)}
    if ask.wants_tool:
        message.update(content=None, tool_calls=[_tool_call(ask, item)])
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(ask)}],
        "usage": usage(item.buckets),
    }


def _finish(ask: Asked) -> str:
    return "tool_calls" if ask.wants_tool else "stop"


def _tool_call(ask: Asked, item: Item) -> dict[str, Any]:
    tools = ask.body.get("tools") or [{"function": {"name": "get_weather"}}]
    function = {"name": tools[0]["function"]["name"], "arguments": '{"city": "Paris"}'}
    return {"id": f"call_{item.response_id}", "type": "function", "function": function}


def usage(buckets: TokenBuckets) -> dict[str, Any]:
    """The usage of a chat completion: sums that include their details."""
    prompt, completion = buckets.total_input, buckets.total_output
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": buckets.cache_read,
            "cache_write_tokens": buckets.cache_write_5m,
            "audio_tokens": buckets.input_audio,
        },
        "completion_tokens_details": {
            "reasoning_tokens": buckets.reasoning,
            "audio_tokens": buckets.output_audio,
            "accepted_prediction_tokens": 5,
            "rejected_prediction_tokens": 7,
        },
    }


def _stream(ask: Asked, item: Item) -> Parts:
    options = ask.body.get("stream_options") or {}
    has_usage = bool(options.get("include_usage"))
    head = _head(item, "chat.completion.chunk")
    if has_usage:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({**head, "choices": [choice]})

    def closing() -> Iterator[bytes]:
        yield chunk({}, _finish(ask))
        if has_usage:
            yield event({**head, "choices": [], "usage": usage(item.buckets)})
        yield b"data: [DONE]\n\n"

    words: list[dict[str, Any]] = [{"content": word} for word in ask.answer]
    if ask.wants_tool:
        words = [{"tool_calls": [{"index": 0, **_tool_call(ask, item)}]}]
    return Parts(
        item=item,
        opening=[chunk({"role": "assistant", "content": ""})],
        words=map(chunk, words),
        closing=closing(),
        failure=event({"error": {"message": "overloaded", "type": "server_error"}}),
    )


def embeddings(ask: Asked, bill: Bill, _request: Request) -> Answer:
    """`POST /embeddings`. There is no id in the answer."""
    number = bill.number()
    given = ask.body["input"]
    texts = given if isinstance(given, list) and given else [given]
    item = bill.add(
        Item(
            provider="openai",
            api="embeddings",
            model=ask.body["model"],
            response_id=f"embedding-{number:08d}",
            buckets=TokenBuckets(input=8 + number),
        )
    )
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(ask)}
        for n, _ in enumerate(texts)
    ]
    told = {"prompt_tokens": 8 + number, "total_tokens": 8 + number}
    body = {"object": "list", "data": data, "model": item.model, "usage": told}
    return Whole(body, item)


def _vector(ask: Asked) -> str | list[float]:
    vector = [0.1, 0.2, 0.3, 0.4]
    if ask.body.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack("<4f", *vector)).decode()


ENDPOINTS: Final = tuple(
    Endpoint(f"{prefix}{path}", answer, refuse)
    for prefix in ("/v1", "")
    for path, answer in (("/chat/completions", chat), ("/embeddings", embeddings))
)
