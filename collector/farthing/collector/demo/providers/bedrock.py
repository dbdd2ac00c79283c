"""Amazon Bedrock: converse and invoke_model, streamed in Amazon's event stream."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from farthing.collector.demo.providers.answer import Answer, Endpoint, Parts, Whole
from farthing.collector.demo.providers.anthropic_messages import (
    charged,
    message,
    streamed,
)
from farthing.collector.demo.providers.asked import Asked
from farthing.collector.demo.providers.bill import Bill, Item
from farthing.economics.usage import TokenBuckets

_ERRORS: Final = {429: "ThrottlingException", 500: "InternalServerException"}
_EVENTS: Final = "application/vnd.amazon.eventstream"
_TEXT: Final = 7  # the type of a header whose value is text


def refuse(status: int) -> Response:
    """As Bedrock refuses: the kind of error is in a header."""
    kind = _ERRORS.get(status, "ValidationException")
    return JSONResponse({"message": "Refused"}, status, {"x-amzn-ErrorType": kind})


def frame(kind: str, data: Any, *, is_exception: bool = False) -> bytes:
    """A message of `vnd.amazon.eventstream`: lengths, headers, payload, checksums.

    Source: the AWS SDKs' event stream encoding (big-endian, CRC32).
    """
    what = "exception" if is_exception else "event"
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (f":{what}-type", kind),
            (":content-type", "application/json"),
            (":message-type", what),
        )
    )
    payload = json.dumps(data).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def _header(name: str, value: str) -> bytes:
    sizes = struct.pack(">BH", _TEXT, len(value))
    return bytes([len(name)]) + name.encode() + sizes + value.encode()


def call(ask: Asked, bill: Bill, request: Request) -> Answer:
    """`POST /model/MODEL/METHOD`."""
    model, method = request.path_params["model"], request.path_params["method"]
    item = charged(ask, bill, api=method, model=model)
    if method.startswith("converse"):
        item.merge_reasoning()
    if method == "converse":
        return Whole(_conversed(ask, item), item)
    if method == "converse-stream":
        return _conversing(ask, item)
    if method == "invoke":
        return Whole(message(ask, item), item)
    return _invoking(ask, item)


def _conversed(ask: Asked, item: Item) -> dict[str, Any]:
    content: dict[str, Any] = {"text": "".join(ask.answer)}
    if ask.wants_tool:
        content = {"toolUse": {**_tool_use(ask, item), "input": {"city": "Paris"}}}
    return {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": _stop(ask),
        "usage": _usage(item.buckets),
        "metrics": {"latencyMs": 1},
        "serviceTier": {"type": "default"},
    }


def _stop(ask: Asked) -> str:
    return "tool_use" if ask.wants_tool else "end_turn"


def _tool_use(ask: Asked, item: Item) -> dict[str, Any]:
    tools = ask.body.get("toolConfig", {}).get("tools") or [
        {"toolSpec": {"name": "get_weather"}}
    ]
    name = tools[0]["toolSpec"]["name"]
    return {"toolUseId": f"tooluse_{item.response_id}", "name": name}


def _usage(buckets: TokenBuckets) -> dict[str, Any]:
    writes = buckets.cache_write_5m + buckets.cache_write_1h
    return {
        "inputTokens": buckets.input,
        "outputTokens": buckets.total_output,
        "totalTokens": buckets.total_input + buckets.total_output,
        "cacheReadInputTokens": buckets.cache_read,
        "cacheWriteInputTokens": writes,
        "cacheDetails": [
            {"ttl": "5m", "inputTokens": buckets.cache_write_5m},
            {"ttl": "1h", "inputTokens": buckets.cache_write_1h},
        ],
    }


def _conversing(ask: Asked, item: Item) -> Parts:
    def opening() -> Iterator[bytes]:
        yield frame("messageStart", {"role": "assistant"})
        if ask.wants_tool:
            start = {"toolUse": _tool_use(ask, item)}
            yield frame("contentBlockStart", {"contentBlockIndex": 0, "start": start})

    def closing() -> Iterator[bytes]:
        yield frame("contentBlockStop", {"contentBlockIndex": 0})
        yield frame("messageStop", {"stopReason": _stop(ask)})
        usage = {"usage": _usage(item.buckets), "metrics": {"latencyMs": 1}}
        yield frame("metadata", {**usage, "serviceTier": {"type": "default"}})

    deltas: list[dict[str, Any]] = [{"text": word} for word in ask.answer]
    if ask.wants_tool:
        deltas = [{"toolUse": {"input": '{"city": "Paris"}'}}]
    throttled = frame(
        "throttlingException", {"message": "overloaded"}, is_exception=True
    )
    return Parts(
        item=item,
        opening=opening(),
        words=(
            frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})
            for delta in deltas
        ),
        closing=closing(),
        failure=throttled,
        media_type=_EVENTS,
    )


def _invoking(ask: Asked, item: Item) -> Parts:
    """Anthropic's events, each packed into a chunk."""
    parts = streamed(ask, item, media_type=_EVENTS)
    return replace(
        parts,
        opening=map(_chunk, parts.opening),
        words=map(_chunk, parts.words),
        closing=map(_chunk, parts.closing),
        failure=frame(
            "throttlingException", {"message": "overloaded"}, is_exception=True
        ),
    )


def _chunk(told: bytes) -> bytes:
    data = told.partition(b"data: ")[2].strip()
    return frame("chunk", {"bytes": base64.b64encode(data).decode()})


ENDPOINTS: Final = (Endpoint("/model/{model:path}/{method}", call, refuse),)
