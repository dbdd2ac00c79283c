"""A server on the loopback that answers for a provider, and fails when told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Protocol, Self


@dataclass(frozen=True, slots=True)
class Request:
    """One POST as it came in; names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value; ValueError if it is no JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: `body` as it is, or as JSON."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body's bytes."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


class Provider(Protocol):
    """What a server answers for. Called for one request at a time."""

    def answer(self, request: Request) -> Reply:
        """Do what is asked."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a request goes wrong.

    Attributes:
        reply: Sent instead of what the provider would say.
        acts: Whether the provider does what was asked all the same.
        hangs: No answer until the server is closed or released.
        drip_s: The answer comes byte by byte, so far apart.
    """

    reply: Reply | None = None
    acts: bool = False
    hangs: bool = False
    drip_s: float = 0.0


RESET: Final = Failure()
"""The connection is reset before anything is done."""
LOST: Final = Failure(acts=True)
"""It is done, but the connection is reset before the answer."""
HANG: Final = Failure(hangs=True)
"""Nothing is done or said."""


class Loopback:
    """Serves `provider` at `url` while it is open; `requests` are all that came.

    `failures` are used up by the requests that come, first first.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.requests: list[Request] = []
        self.failures: deque[Failure | None] = deque()
        self.released = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"loopback": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, *failures: Failure | None) -> None:
        """Let the next requests go wrong; None is one that goes well."""
        self.failures.extend(failures)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, request: Request) -> tuple[Failure | None, Reply | None]:
        """What becomes of a request: how it fails, and what the provider says."""
        with self._lock:
            self.requests.append(request)
            failure = self.failures.popleft() if self.failures else None
            acts = failure is None or failure.acts or failure.drip_s
            return failure, self.provider.answer(request) if acts else None


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and answers it as its server's Loopback says."""

    loopback: Loopback
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # head and body in one piece: two wait for each other

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, self.rfile.read(size))
        failure, reply = self.loopback.take(request)
        if failure is None or failure.drip_s:
            assert reply is not None
            self._send(reply, drip_s=failure.drip_s if failure else 0.0)
        elif failure.reply is not None:
            self._send(failure.reply)
        else:
            self._cut(hangs=failure.hangs)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _send(self, reply: Reply, *, drip_s: float = 0.0) -> None:
        content = reply.content()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for start in range(len(content)) if drip_s else ():
            if self.loopback.released.wait(drip_s):
                return
            self.wfile.write(content[start : start + 1])
            self.wfile.flush()
        if not drip_s:
            self.wfile.write(content)

    def _cut(self, *, hangs: bool) -> None:
        if hangs:
            self.loopback.released.wait()
        at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.connection.close()
        self.close_connection = True
