"""The stand-in as a server: in a thread of a test or the demo, or on its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from farthing.collector.demo.providers import (
    anthropic_batches,
    anthropic_messages,
    bedrock,
    gemini,
    openai_chat,
    openai_responses,
)
from farthing.collector.demo.providers.answer import Endpoint, answering
from farthing.collector.demo.providers.bill import Bill

_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *openai_chat.ENDPOINTS,
    *openai_responses.ENDPOINTS,
    *anthropic_batches.ENDPOINTS,
    *anthropic_messages.ENDPOINTS,
    *gemini.ENDPOINTS,
    *bedrock.ENDPOINTS,
)


@dataclass(frozen=True, slots=True)
class Providers:
    """A running stand-in: where it is, and what it charged."""

    url: str
    bill: Bill


def application(bill: Bill) -> ASGIApp:
    """Every provider's API, and the bill."""

    async def read(request: Request) -> Response:
        if request.method == "DELETE":
            bill.clear()
        return JSONResponse(bill.as_json())

    routes = [Route("/bill", read, methods=["GET", "DELETE"])]
    for endpoint in _ENDPOINTS:
        handle = answering(endpoint, bill)
        routes.append(Route(endpoint.path, handle, methods=[endpoint.method]))
    return Starlette(routes=routes)


@contextmanager
def serving(*, port: int = 0) -> Iterator[Providers]:
    """Run the stand-in on loopback in a thread, at a port that the system picks."""
    bill = Bill()
    server = uvicorn.Server(
        uvicorn.Config(
            application(bill),
            host="127.0.0.1",
            port=port,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    started = threading.Event()

    async def run() -> None:
        sock = server.config.bind_socket()
        bound.append(sock.getsockname()[1])
        started.set()
        await server.serve(sockets=[sock])

    bound: list[int] = []
    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    if not started.wait(timeout=30):
        raise RuntimeError("the stand-in for the providers did not start")
    try:
        yield Providers(f"http://127.0.0.1:{bound[0]}", bill)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
