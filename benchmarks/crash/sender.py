"""Sends numbered requests until it is told to stop; a process of its own.

    python -m benchmarks.crash.sender '{"port": 4318, "round": 3}'

A request that was not acknowledged is sent again, byte for byte, until it is: also to
the collector that was started after the one that was killed. SIGTERM ends it once all
that it sent is acknowledged; it then prints what that was.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict, dataclass

import uvloop
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from benchmarks.blocks import Blocks, Requests

SPANS = 32
_CONNECTIONS = 4
_RETRY_S = 0.05
_HEAD = (
    "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    "content-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n"
)


@dataclass
class Acknowledged:
    """Sums over all requests that were answered with 200; how often one was sent
    again, and how often one was refused for now, with 429 or 503."""

    spans: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    resent: int = 0
    refused: int = 0

    def add(self, request: bytes) -> None:
        """Count one request."""
        message = ExportTraceServiceRequest.FromString(request)
        for span in message.resource_spans[0].scope_spans[0].spans:
            self.spans += 1
            for attribute in span.attributes:
                if attribute.key == "gen_ai.usage.input_tokens":
                    self.calls += 1
                    self.prompt_tokens += attribute.value.int_value


async def _send(port: int, source: Requests, stop: asyncio.Event) -> Acknowledged:
    """One connection, made again whenever it breaks."""
    acknowledged, waiting = Acknowledged(), b""
    while not (stop.is_set() and not waiting):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            while waiting or not stop.is_set():
                acknowledged.resent += bool(waiting)
                waiting = waiting or source.next()
                if await _post(reader, writer, waiting):
                    acknowledged.add(waiting)
                    waiting = b""
                else:
                    acknowledged.refused += 1
                    await asyncio.sleep(_RETRY_S)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(_RETRY_S)
        finally:
            writer.close()
    return acknowledged


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
) -> bool:
    """Whether the body was acknowledged; False if the receiver is busy."""
    writer.write(_HEAD.format(len(body)).encode() + body)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = head.partition("content-length: ")[2].partition("\r")[0]
    answer = await reader.readexactly(int(length or 0))
    status = int(head.split(" ", 2)[1])
    if status not in (200, 429, 503):
        raise RuntimeError(f"{status}: {answer!r}")
    return status == 200


async def _run(port: int, round_: int) -> Acknowledged:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("started", flush=True)
    source = Requests(
        Blocks(stream=round_ % 256, task_type=f"crash-{round_}"), spans=SPANS
    )
    parts = await asyncio.gather(
        *(_send(port, source, stop) for _ in range(_CONNECTIONS))
    )
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Acknowledged(*map(sum, columns))


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    print(json.dumps(asdict(uvloop.run(_run(options["port"], options["round"])))))
