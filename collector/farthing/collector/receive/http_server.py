"""uvicorn inside somebody else's event loop, with bounds on request headers."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farthing.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from farthing.collector.receive.settings import Limits, Tls

_BACKLOG = 2048


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, which alone reads headers without end or deadline."""

    max_header_bytes: int
    header_timeout_s: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._unwatch_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.max_header_bytes:
            self.send_400_response("The request's headers are too large.")
        elif self._head_deadline is None:
            self._watch_head()

    def _watch_head(self) -> None:
        self._head_deadline = self.loop.call_later(
            self.header_timeout_s, self.transport.close
        )

    def _unwatch_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None


def _protocol(limits: Limits) -> type[BoundedHttp]:
    class Configured(BoundedHttp):
        max_header_bytes = limits.max_header_bytes
        header_timeout_s = limits.header_timeout_s

    return Configured


@asynccontextmanager
async def serve_http(
    app: ASGIApp, listener: socket.socket, *, limits: Limits, tls: Tls | None
) -> AsyncIterator[None]:
    """Serve `app` on `listener` until the block ends and requests are answered.

    Signals and logging are left to the program: uvicorn sets up neither.
    """
    server = uvicorn.Server(_config(app, limits, tls))
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    ticks = asyncio.create_task(server.main_loop(), name="uvicorn")
    try:
        yield
    finally:
        server.should_exit = True
        await ticks
        await server.shutdown(sockets=[listener])


def _config(app: ASGIApp, limits: Limits, tls: Tls | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=_protocol(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.max_connections,
        backlog=_BACKLOG,
        timeout_keep_alive=int(limits.idle_timeout_s),
        timeout_graceful_shutdown=int(limits.stop_timeout_s),
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"TLS: certificate and key do not load: {error}") from error
    return config


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """Bind a TCP socket; `option` is the setting to name when that fails.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # Of a name with both, IPv4: "localhost" in most senders' settings means it.
        family, kind, protocol, _, address = min(
            found, key=lambda entry: entry[0] is not socket.AF_INET
        )
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"{option}: cannot listen on {host!r}: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_cannot_bind(host, port, option, error)) from error
    return listener


_HINTS = {
    errno.EADDRINUSE: (
        "probably another collector, of Farthing or of OpenTelemetry, is running there"
        " (`ss -ltnp 'sport = :{port}'` shows which program): stop it or set {option}"
        " to another port"
    ),
    errno.EACCES: "ports below 1024 need a privilege: set {option} to a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address: set one that it has",
}


def _cannot_bind(host: str, port: int, option: str, error: OSError) -> str:
    hint = _HINTS.get(error.errno or 0, "see {option}")
    reason = f"{error.strerror}; {hint.format(port=port, option=option)}"
    return f"cannot listen on {host}:{port}: {reason}"
