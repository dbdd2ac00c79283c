"""OpenAI's responses, also those that run in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from starlette.requests import Request

from farthing.collector.demo.providers.answer import Answer, Endpoint, Parts, Whole
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill, Item
from farthing.collector.demo.providers.openai_chat import event, refuse
from farthing.economics.usage import TokenBuckets

_SHORT, _LONG = 48, 16
"""Tokens that are written to the cache for 30 minutes and for 12 hours."""


def create(ask: Asked, bill: Bill, _request: Request) -> Answer:
    """`POST /responses`."""
    number = bill.number()
    item = bill.add(
        Item(
            provider="openai",
            api="responses",
            model=ask.body["model"],
            response_id=f"resp_{number:08d}",
            buckets=TokenBuckets(
                input=112 + number, cache_read=1024, cache_write_5m=_SHORT,
                cache_write_1h=_LONG, output=172 + number, reasoning=128,
            ),
            tier=ask.body.get("service_tier") or "default",
            web_searches=2 if "search" in ask.words else 0,
        )
    )  # fmt: skip
    if ask.body.get("background"):
        item.state = "unheard"
        bill.stored[item.response_id] = [ask, item, 0]
        return Whole(_response(ask, item, "queued"))
    if ask.body.get("stream"):
        return _stream(ask, item)
    return Whole(_response(ask, item, "completed"), item)


def retrieve(_ask: Asked, bill: Bill, request: Request) -> Answer:
    """`GET /responses/ID`: in progress the first time, completed from then on."""
    stored = bill.stored[request.path_params["response_id"]]
    ask, item, asked_before = stored
    stored[2] += 1
    if not asked_before:
        return Whole(_response(ask, item, "in_progress"))
    item.state = "complete"
    return Whole(_response(ask, item, "completed"), item)


def _response(ask: Asked, item: Item, status: str) -> dict[str, Any]:
    is_done = status == "completed"
    return {
        "id": item.response_id,
        "object": "response",
        "created_at": time.time(),
        "status": status,
        "background": bool(ask.body.get("background")),
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": item.model,
        "output": list(_output(ask, item)) if is_done else [],
        "parallel_tool_calls": True,
        "service_tier": item.tier,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(item.buckets) if is_done else None,
    }


def _output(ask: Asked, item: Item) -> Iterator[dict[str, Any]]:
    for n in range(item.web_searches):
        action = {"type": "search", "query": "q", "queries": ["q"]}
        yield {
            "id": f"ws_{item.response_id}_{n}",
            "type": "web_search_call",
            "status": "completed",
            "action": action,
        }
    if ask.wants_tool:
        yield _tool_call(ask, item)
    else:
        yield _message(item, "".join(ask.answer), "completed")


def _tool_call(ask: Asked, item: Item) -> dict[str, Any]:
    tools = ask.body.get("tools") or [{"name": "get_weather"}]
    return {
        "id": f"fc_{item.response_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{item.response_id}",
        "name": tools[0].get("name", "get_weather"),
        "arguments": '{"city": "Paris"}',
    }


def _message(item: Item, text: str, status: str) -> dict[str, Any]:
    return {
        "id": f"msg_{item.response_id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _usage(buckets: TokenBuckets) -> dict[str, Any]:
    prompt, completion = buckets.total_input, buckets.total_output
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": buckets.cache_read,
            "cache_write_tokens": buckets.cache_write_5m + buckets.cache_write_1h,
            "cache_write_tokens_details": {
                "ttl_30m_tokens": buckets.cache_write_5m,
                "ttl_12h_tokens": buckets.cache_write_1h,
            },
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": buckets.reasoning},
        "total_tokens": prompt + completion,
    }


def _stream(ask: Asked, item: Item) -> Parts:
    numbers = iter(range(1_000_000))

    def told(kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": next(numbers), **fields}
        return f"event: {kind}\n".encode() + event(data)

    def opening() -> Iterator[bytes]:
        running = _response(ask, item, "in_progress")
        yield told("response.created", response=running)
        yield told("response.in_progress", response=running)
        if not ask.wants_tool:
            empty = {**_message(item, "", "in_progress"), "content": []}
            yield told("response.output_item.added", output_index=0, item=empty)
            yield told("response.content_part.added", **at, part=_part(""))

    at = {
        "item_id": f"msg_{item.response_id}",
        "output_index": 0,
        "content_index": 0,
    }

    def closing() -> Iterator[bytes]:
        if ask.wants_tool:
            call = _tool_call(ask, item)
            yield told("response.output_item.added", output_index=0, item=call)
            yield told("response.output_item.done", output_index=0, item=call)
        else:
            text = "".join(ask.answer)
            yield told("response.output_text.done", **at, text=text, logprobs=[])
            yield told("response.content_part.done", **at, part=_part(text))
            done = _message(item, text, "completed")
            yield told("response.output_item.done", output_index=0, item=done)
        yield told("response.completed", response=_response(ask, item, "completed"))

    words = [] if ask.wants_tool else ask.answer
    return Parts(
        item=item,
        opening=opening(),
        words=(
            told("response.output_text.delta", **at, delta=word, logprobs=[])
            for word in words
        ),
        closing=closing(),
        failure=told("error", code="server_error", message="overloaded", param=None),
    )


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


ENDPOINTS: Final = tuple(
    endpoint
    for prefix in ("/v1", "")
    for endpoint in (
        Endpoint(f"{prefix}/responses", create, refuse),
        Endpoint(f"{prefix}/responses/{{response_id}}", retrieve, refuse, "GET"),
    )
)
