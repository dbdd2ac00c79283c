"""Calls of OpenAI's SDK over a transport in memory: no socket, no server, no wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

CHUNKS = 200


@dataclass(frozen=True)
class Workload:
    """One way to call. A call with a weight is made so much less often; `per` is what
    a figure is of: a call, or a chunk of a stream."""

    name: str
    make: Callable[[Any], Callable[[], None]]
    weight: int = 1
    per: int = 1


def client() -> Any:
    """A client whose server is a function."""
    import httpx2
    import openai

    transport = httpx2.MockTransport(_answer)
    http = openai.DefaultHttpxClient(transport=transport)
    return openai.OpenAI(api_key="k", http_client=http, max_retries=0)


def _answer(request: Any) -> Any:
    import httpx2

    if b'"stream":true' in request.content.replace(b" ", b""):
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, content=_STREAM, headers=headers)
    headers = {"content-type": "application/json"}
    return httpx2.Response(200, content=_WHOLE, headers=headers)


_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 128},
}
_HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1"}
_WHOLE = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "It is sunny. " * 20},
            }
        ],
        "usage": _USAGE,
    }
).encode()


def _chunks() -> bytes:
    head = {**_HEAD, "object": "chat.completion.chunk"}
    choice = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
    one = json.dumps({**head, "choices": [choice]})
    last = json.dumps({**head, "choices": [], "usage": _USAGE})
    events = [*[one] * CHUNKS, last, "[DONE]"]
    return "".join(f"data: {event}\n\n" for event in events).encode()


_STREAM = _chunks()
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{n}",
            "description": "Looks something up that the agent may need. " * 4,
            "parameters": {
                "type": "object",
                "properties": {
                    name: {"type": "string", "description": f"the {name} to look for"}
                    for name in ("query", "place", "limit")
                },
            },
        },
    }
    for n in range(10)
]


def _turn(number: int, size: int) -> list[dict[str, Any]]:
    """A tool call and its result of about `size` characters."""
    line = (
        f"row {number}: value {number * 7} in /srv/data/{number}/part.csv, all fine\n"
    )
    function = {"name": "tool_1", "arguments": json.dumps({"query": f"row {number}"})}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": f"call_{number}",
            "content": (line * (size // len(line) + 1))[:size],
        },
    ]


def _calling(*conversations: list[dict[str, Any]], **more: Any) -> Callable[[Any], Any]:
    """Calls that hand over one conversation after the other: what is new is new."""

    def make(client: Any) -> Callable[[], None]:
        completions = client.chat.completions
        turns = cycle(conversations)

        def call() -> None:
            answer = completions.create(model="gpt-4.1", messages=next(turns), **more)
            if more.get("stream"):
                for _ in answer:
                    pass

        return call

    return make


_ASK = {"role": "user", "content": "What is the weather like in Paris today?"}
_LONG = [_ASK, *[message for n in range(50) for message in _turn(n, 4_000)]]
_NEW = range(100, 120)

WORKLOADS = {
    load.name: load
    for load in (
        Workload("short", _calling([_ASK])),
        Workload("tool result, 1 kB", _calling(
                 *[[_ASK, *_turn(n, 1_000)] for n in _NEW], tools=_TOOLS)),
        Workload("200 kB conversation", _calling(
                 *[[*_LONG, *_turn(n, 4_000)] for n in _NEW], tools=_TOOLS), weight=3),
        Workload("stream, per chunk", _calling([_ASK], stream=True),
                 weight=10, per=CHUNKS),
    )
}  # fmt: skip
