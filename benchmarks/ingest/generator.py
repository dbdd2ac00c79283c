"""Sends load and measures acknowledgements; a process of its own.

    python -m benchmarks.ingest.generator '{"protocol": "http", "port": 4318, ...}'

Each connection has one request under way at a time, as an exporter does. A receiver
that is busy (429, 503) gets the same request again after the time that it asks for.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import cast

import grpc
import numpy as np
import uvloop

from benchmarks.blocks import Blocks, Requests

_GRPC_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_HOST = "127.0.0.1"
_BUSY = (429, 503)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to send: `requests` of `spans` each, over `connections`.

    `rate` is how many spans a second are sent, where they are answered as fast; 0 sends
    as fast as they are answered.
    """

    protocol: str
    port: int
    requests: int
    spans: int
    connections: int
    stream: int = 0
    rate: float = 0.0


@dataclass(frozen=True)
class Acknowledged:
    """What came back; times in seconds, `started_s` of the epoch."""

    requests: int
    spans: int
    refusals: int
    started_s: float
    elapsed_s: float
    ack_p50_s: float
    ack_p99_s: float
    generator_cpu_s: float


@dataclass
class _Run:
    """The requests that are left, and what was measured so far."""

    load: Load
    source: Requests
    left: int
    latencies_s: list[float] = field(default_factory=list)
    refusals: int = 0
    started_s: float = field(default_factory=time.perf_counter)

    def take(self) -> bool:
        """Whether there is another request to send."""
        self.left -= 1
        return self.left >= 0

    def due_in_s(self) -> float:
        """How long the request that was taken last has to wait for its turn."""
        if not self.load.rate:
            return 0.0
        before = self.load.requests - self.left - 1
        turn_s = self.started_s + before * self.load.spans / self.load.rate
        return max(turn_s - time.perf_counter(), 0.0)

    def acknowledged(self, sent_s: float) -> None:
        self.latencies_s.append(time.perf_counter() - sent_s)


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive, without a library's costs."""

    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._answer = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        if not self._run.take():
            self._transport.close()
            return
        head, self._spans = self._run.source.parts()
        length = len(head) + self._spans.size
        self._head = (
            b"POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"content-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n"
        ) % length + head
        asyncio.get_running_loop().call_later(self._run.due_in_s(), self._send)

    def _send(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(self._head)
        self._transport.write(self._spans.data)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._answer = b""
        status = int(head.split(b" ", 2)[1])
        if status == 200:
            self._run.acknowledged(self._sent_s)
            self._next()
        elif status in _BUSY:
            self._run.refusals += 1
            asyncio.get_running_loop().call_later(_retry_after_s(head), self._send)
        else:
            self._done.set_exception(RuntimeError(f"{status}: {body!r}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done.done():
            return
        if exc or self._run.left >= 0:
            self._done.set_exception(exc or ConnectionError("closed by the receiver"))
        else:
            self._done.set_result(None)


def _content_length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _retry_after_s(head: bytes) -> float:
    return float(_header(head, b"retry-after") or 1)


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


async def _over_http(run: _Run) -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    await loop.create_connection(lambda: _Connection(run, done), _HOST, run.load.port)
    await done


async def _over_grpc(run: _Run) -> None:
    # Or all channels of a process would share one connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(
        f"{_HOST}:{run.load.port}", options
    ) as channel:
        export = channel.unary_unary(_GRPC_METHOD)
        while run.take():
            await asyncio.sleep(run.due_in_s())
            request = run.source.next()
            sent_s = time.perf_counter()
            while not await _export(export, request):
                run.refusals += 1
                await asyncio.sleep(1)
            run.acknowledged(sent_s)


async def _export(export: Callable[[bytes], Coroutine], request: bytes) -> bool:
    try:
        await export(request)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return False
    return True


_PROTOCOLS = {"http": _over_http, "grpc": _over_grpc}


async def send(load: Load) -> Acknowledged:
    """Send all of it; returns when the last request was acknowledged."""
    source = Requests(Blocks(stream=load.stream), spans=load.spans)
    run = _Run(load, source, load.requests)
    started_s, started, cpu_s = time.time(), time.perf_counter(), time.process_time()
    over = _PROTOCOLS[load.protocol]
    await asyncio.gather(*(over(run) for _ in range(load.connections)))
    elapsed_s = time.perf_counter() - started
    p50, p99 = np.percentile(run.latencies_s, [50, 99])
    return Acknowledged(
        requests=len(run.latencies_s),
        spans=len(run.latencies_s) * load.spans,
        refusals=run.refusals,
        started_s=started_s,
        elapsed_s=elapsed_s,
        ack_p50_s=float(p50),
        ack_p99_s=float(p99),
        generator_cpu_s=time.process_time() - cpu_s,
    )


if __name__ == "__main__":
    result = uvloop.run(send(Load(**json.loads(sys.argv[1]))))
    print(json.dumps(dataclasses.asdict(result)))
