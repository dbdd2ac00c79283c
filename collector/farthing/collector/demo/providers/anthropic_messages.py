"""Anthropic's messages, and how many tokens one would have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farthing.collector.demo.providers.answer import Answer, Endpoint, Parts, Whole
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill, Item
from farthing.economics.usage import TokenBuckets

_ERRORS: Final = {
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def refuse(status: int) -> Response:
    """As Anthropic refuses."""
    error = {"type": _ERRORS.get(status, "invalid_request_error"), "message": "Refused"}
    headers = {"retry-after-ms": "10", "retry-after": "1"} if status == 429 else {}
    return JSONResponse({"type": "error", "error": error}, status, headers)


def event(kind: str, **fields: Any) -> bytes:
    """A server-sent event with its name."""
    data = json.dumps({"type": kind, **fields})
    return f"event: {kind}\ndata: {data}\n\n".encode()


def charged(ask: Asked, bill: Bill, *, api: str = "messages", model: str = "") -> Item:
    """A message on the bill."""
    number = bill.number()
    return bill.add(
        Item(
            provider="aws.bedrock" if api != "messages" else "anthropic",
            api=api,
            model=model or ask.body["model"],
            response_id=f"msg_{number:08d}",
            buckets=TokenBuckets(
                input=50 + number, cache_read=2000, cache_write_5m=500,
                cache_write_1h=200, output=210 + number, reasoning=90,
            ),
            tier="standard",
            web_searches=2 if "search" in ask.words else 0,
        )
    )  # fmt: skip


def create(ask: Asked, bill: Bill, _request: Request) -> Answer:
    """`POST /v1/messages`."""
    item = charged(ask, bill)
    if ask.body.get("stream"):
        return streamed(ask, item)
    return Whole(message(ask, item), item)


def count(_ask: Asked, _bill: Bill, _request: Request) -> Answer:
    """`POST /v1/messages/count_tokens`, which is free."""
    return Whole({"input_tokens": 2750})


def message(ask: Asked, item: Item) -> dict[str, Any]:
    """A whole message."""
    return {
        "id": item.response_id,
        "type": "message",
        "role": "assistant",
        "model": item.model,
        "content": list(_content(ask, item)),
        "stop_reason": "tool_use" if ask.wants_tool else "end_turn",
        "stop_sequence": None,
        "usage": usage(item),
    }


def _content(ask: Asked, item: Item) -> Iterator[dict[str, Any]]:
    if ask.wants_tool:
        yield _tool_use(ask, item)
    else:
        yield {"type": "text", "text": "".join(ask.answer)}


def _tool_use(ask: Asked, item: Item) -> dict[str, Any]:
    tools = ask.body.get("tools") or [{"name": "get_weather"}]
    return {
        "type": "tool_use",
        "id": f"toolu_{item.response_id}",
        "name": tools[0]["name"],
        "input": {"city": "Paris"},
    }


def usage(item: Item) -> dict[str, Any]:
    """The usage of a message: input without what is cached, all else told apart."""
    buckets = item.buckets
    told: dict[str, Any] = {
        "input_tokens": buckets.input,
        "cache_read_input_tokens": buckets.cache_read,
        "cache_creation_input_tokens": buckets.cache_write_5m + buckets.cache_write_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": buckets.cache_write_5m,
            "ephemeral_1h_input_tokens": buckets.cache_write_1h,
        },
        "output_tokens": buckets.total_output,
        "output_tokens_details": {"thinking_tokens": buckets.reasoning},
        "service_tier": item.tier,
        "inference_geo": "us",
    }
    if item.web_searches:
        told["server_tool_use"] = _server_tools(item)
    return told


def _server_tools(item: Item) -> dict[str, int]:
    return {"web_search_requests": item.web_searches, "web_fetch_requests": 1}


def streamed(ask: Asked, item: Item, *, media_type: str = "text/event-stream") -> Parts:
    """A message in parts; the last but one says how much output there was, and not how
    much of it was thought."""
    item.merge_reasoning()

    def opening() -> Iterator[bytes]:
        start = {**message(ask, item), "content": [], "stop_reason": None}
        start["usage"] = {**started, "output_tokens": 1}
        yield event("message_start", message=start)
        block: dict[str, Any] = {"type": "text", "text": ""}
        if ask.wants_tool:
            block = {**_tool_use(ask, item), "input": {}}
        yield event("content_block_start", index=0, content_block=block)

    def closing() -> Iterator[bytes]:
        told: dict[str, Any] = {"output_tokens": item.buckets.total_output}
        if item.web_searches:
            told["server_tool_use"] = _server_tools(item)
        reason = "tool_use" if ask.wants_tool else "end_turn"
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield event("content_block_stop", index=0)
        yield event("message_delta", delta=delta, usage=told)
        yield event("message_stop")

    # Taken now: while the stream runs the item holds what was sent so far.
    started = usage(item)
    started.pop("output_tokens_details")
    started.pop("server_tool_use", None)
    deltas: list[dict[str, Any]] = [
        {"type": "text_delta", "text": word} for word in ask.answer
    ]
    if ask.wants_tool:
        deltas = [{"type": "input_json_delta", "partial_json": '{"city": "Paris"}'}]
    overloaded = {"type": "overloaded_error", "message": "Overloaded"}
    return Parts(
        item=item,
        opening=opening(),
        words=(event("content_block_delta", index=0, delta=delta) for delta in deltas),
        closing=closing(),
        failure=event("error", error=overloaded),
        media_type=media_type,
    )


ENDPOINTS: Final = (
    Endpoint("/v1/messages", create, refuse),
    Endpoint("/v1/messages/count_tokens", count, refuse),
)
