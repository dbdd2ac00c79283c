"""An HTTP server that discards what it gets: where rotel's exporter sends its rows.

    python -m benchmarks.ingest.sink PORT

`GET /stats` answers how much came and when the last of it did.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop


@dataclass
class _Stats:
    bytes: int = 0
    requests: int = 0
    last_s: float = 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, stats: _Stats) -> None:
        self._stats = stats
        self._parser = httptools.HttpRequestParser(self)
        self._bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._bytes += len(body)

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"GET":
            self._answer(json.dumps(vars(self._stats)).encode())
            return
        self._stats.requests += 1
        self._stats.bytes += self._bytes
        self._stats.last_s = time.time()
        self._bytes = 0
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


async def _serve(port: int) -> None:
    stats = _Stats()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stats), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
