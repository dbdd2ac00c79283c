"""One request to the stand-in, from its prompt's words to its item on the bill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from farthing.collector.demo.providers.asked import Asked, asked
from farthing.collector.demo.providers.bill import Bill, Item


class Cut(Exception):
    """The connection breaks: raised inside a stream, the server drops it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is sent at once, and the item that it is billed as."""

    body: Any
    item: Item | None = None
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer that is streamed: what comes before the words, each word, the end.

    `failure` is what is sent instead of a word where the prompt asks for an error.
    """

    item: Item
    opening: Iterable[bytes]
    words: Iterable[bytes]
    closing: Iterable[bytes]
    failure: bytes
    media_type: str = "text/event-stream"


Answer = Whole | Parts
Refuse = Callable[[int], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of a provider's API: how it answers, and how it refuses."""

    path: str
    answer: Callable[[Asked, Bill, Request], Answer]
    refuse: Refuse
    method: str = "POST"


def answering(
    endpoint: Endpoint, bill: Bill
) -> Callable[[Request], Awaitable[Response]]:
    """The handler of an endpoint."""

    async def handle(request: Request) -> Response:
        try:
            ask = asked(await request.body())
        except ValueError:
            return endpoint.refuse(400)
        status = _refused(ask, bill)
        if status:
            return endpoint.refuse(status)
        known = len(bill.items)
        answer = endpoint.answer(ask, bill, request)
        for item in bill.items[known:]:
            item.case = ask.words.get("case") or bill.case_of(ask.text)
        if isinstance(answer, Parts):
            return _streamed(ask, answer)
        if answer.item is None:
            return _sent(answer)
        answer.item.state = "unheard"
        await _wait(ask, bill)
        if not await request.is_disconnected():
            answer.item.state = "complete"
        return _sent(answer)

    return handle


def _refused(ask: Asked, bill: Bill) -> int:
    """The status to refuse this attempt with; 0 to answer it."""
    bill.attempts[ask.digest] += 1
    bill.requests.append(ask.body)
    if "refuse" in ask.words:
        return int(ask.number("refuse"))
    is_first = bill.attempts[ask.digest] == 1
    return int(ask.number("fail")) if is_first else 0


async def _wait(ask: Asked, bill: Bill) -> None:
    is_first = bill.attempts[ask.digest] == 1
    await asyncio.sleep(ask.number("slow"))
    await asyncio.sleep(ask.number("slow-once") if is_first else 0)


def _sent(answer: Whole) -> Response:
    if isinstance(answer.body, bytes):
        return Response(answer.body, media_type=answer.media_type)
    return JSONResponse(answer.body, headers=_headers(answer.item))


def _headers(item: Item | None) -> dict[str, str]:
    request_id = f"req_{item.response_id}" if item is not None else "req_none"
    return {
        "x-request-id": request_id,
        "request-id": request_id,
        "x-amzn-requestid": item.response_id if item is not None else request_id,
    }


def _streamed(ask: Asked, parts: Parts) -> Response:
    return StreamingResponse(
        _flow(ask, parts), media_type=parts.media_type, headers=_headers(parts.item)
    )


async def _flow(ask: Asked, parts: Parts) -> AsyncIterator[bytes]:
    """Send the parts; whatever ends this early, the bill holds what was sent."""
    whole = parts.item.buckets
    parts.item.state = "cut"
    parts.item.output_so_far(0)
    await asyncio.sleep(ask.number("slow"))
    for part in parts.opening:
        yield part
    for sent, part in enumerate(parts.words):
        await asyncio.sleep(ask.number("pace"))
        if "cut" in ask.words and sent == ask.number("cut"):
            raise Cut
        if "error" in ask.words and sent == ask.number("error"):
            yield parts.failure
            return
        parts.item.output_so_far(sent + 1)
        yield part
    parts.item.state, parts.item.buckets = "complete", whole
    for part in parts.closing:
        yield part
