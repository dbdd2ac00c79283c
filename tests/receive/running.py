"""A receiver on ephemeral ports in a thread of its own, for synchronous clients."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from google.rpc.status_pb2 import Status
from prometheus_client import CollectorRegistry

from farthing.collector.receive.otlp_http import Answers
from farthing.collector.receive.serve import Endpoints, serve
from farthing.collector.receive.settings import ReceiveSettings
from farthing.errors import Overloaded

CAPTURES = Path(__file__).parents[1] / "otlp"
KIB = 1024
TRACES_PROTOBUF = {"content-type": "application/x-protobuf"}
TRACES_JSON = {"content-type": "application/json"}


class ListSpool:
    """The spool's contract in memory: keeps requests, refuses when told to."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.refusals: list[Exception] = []
        self.gate: threading.Event | None = None
        self.entered = threading.Event()
        self.cancelled = threading.Event()

    async def append(self, request: bytes, /) -> None:
        self.entered.set()
        if self.gate is not None:
            await self._wait(self.gate)
        if self.refusals:
            raise self.refusals.pop()
        self.requests.append(request)

    async def _wait(self, gate: threading.Event) -> None:
        try:
            await asyncio.to_thread(gate.wait, 10)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def refuse(self, times: int, *, retry_after_s: int = 1) -> None:
        self.refusals = [
            Overloaded("the spool is full", retry_after_s=retry_after_s)
            for _ in range(times)
        ]


@dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Running:
    """A running receiver and what is behind it."""

    spool: ListSpool
    registry: CollectorRegistry
    endpoints: Endpoints
    not_ready: list[str]
    tls_used: bool
    begin_stop: Callable[[], object]

    @property
    def http_url(self) -> str:
        return f"http://localhost:{self.endpoints.http_port}"

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.endpoints.grpc_port}"

    def connect(self) -> http.client.HTTPConnection:
        port = self.endpoints.http_port
        return http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, body: Any, headers: dict[str, str]) -> Answer:
        return self.request("POST", "/v1/traces", body, headers)

    @contextmanager
    def blocked(self) -> Iterator[Blocked]:
        """A spool that does not answer until released."""
        gate = self.spool.gate = threading.Event()
        self.spool.entered.clear()
        try:
            yield Blocked(self, gate)
        finally:
            gate.set()
            self.spool.gate = None

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"farthing_receive_{name}", labels) or 0.0


def bearer(headers: dict[str, str], token: str = "s3cret") -> dict[str, str]:
    """The headers, with a token."""
    return {**headers, "authorization": f"Bearer {token}"}


def status_of(answer: Answer) -> Status:
    """The `google.rpc.Status` in an answer's body, in whichever encoding."""
    if answer.headers["content-type"] == "application/json":
        return Status(**json.loads(answer.body))
    assert answer.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(answer.body)


class Blocked:
    """One HTTP request that waits in the spool."""

    def __init__(self, receiver: Running, gate: threading.Event) -> None:
        self._receiver = receiver
        self._gate = gate
        self._answers: list[Answer] = []

    def post(self, body: bytes, headers: dict[str, str]) -> None:
        """Send it from a thread; return when it is in the spool."""

        def send() -> None:
            self._answers.append(self._receiver.post(body, headers))

        self._thread = threading.Thread(target=send)
        self._thread.start()
        assert self._receiver.spool.entered.wait(10)

    def release(self) -> Answer:
        """Let the spool answer."""
        self._gate.set()
        self._thread.join(10)
        (answer,) = self._answers
        return answer


@contextmanager
def running(
    settings: ReceiveSettings | None = None, *, answers: Answers | None = None
) -> Iterator[Running]:
    """Serve with `settings` until the block ends."""
    settings = settings or ReceiveSettings(http_port=0, grpc_port=0)
    spool, registry, not_ready = ListSpool(), CollectorRegistry(), list[str]()
    started, stop = threading.Event(), asyncio.Event()
    found: list[Endpoints] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        async with serve(
            settings,
            spool,
            registry=registry,
            why_not_ready=lambda: not_ready[0] if not_ready else None,
            answers=answers,
        ) as endpoints:
            found.append(endpoints)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=uvloop.run, args=(main(),))
    thread.start()
    assert started.wait(10)
    tls_used = settings.tls is not None

    def begin_stop() -> None:
        loops[0].call_soon_threadsafe(stop.set)

    try:
        yield Running(spool, registry, found[0], not_ready, tls_used, begin_stop)
    finally:
        if thread.is_alive():
            begin_stop()
        thread.join(20)
        assert not thread.is_alive()


def captured(name: str = "*") -> list[bytes]:
    """The request bodies of the captured files whose names match."""
    return [
        body
        for path in sorted(CAPTURES.glob(f"{name}.traces.pb"))
        for body in _delimited(path.read_bytes())
    ]


def _delimited(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        size = shift = 0
        while True:
            byte = data[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield data[position : position + size]
        position += size
