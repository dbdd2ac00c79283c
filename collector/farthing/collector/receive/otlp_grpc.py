"""OTLP/gRPC: raw bytes in, no generated servicers.

gRPC's core decompresses, and stops at the size limit while it does.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from farthing.collector.receive.http_server import listen
from farthing.collector.receive.intake import HOW_TO_AUTHORIZE, Intake, is_authorized
from farthing.collector.receive.otlp import (
    LOGS,
    METRICS,
    SIGNALS,
    Signal,
    retry_info,
    status_details,
    success,
)
from farthing.collector.receive.outcomes import Outcome, Refused, refusal
from farthing.collector.receive.told_in_logs import spans_of, tells_calls
from farthing.errors import ConfigError

if TYPE_CHECKING:
    from farthing.collector.receive.meters import TransportMeters
    from farthing.collector.receive.settings import ReceiveSettings, Tls

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_STREAMS_PER_CONNECTION = 128


class OtlpGrpc(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The three OTLP services, as one generic handler."""

    def __init__(
        self, intake: Intake, *, meters: TransportMeters, token: str | None
    ) -> None:
        self._intake = intake
        self._meters = meters
        self._token = token
        self._methods = {s.grpc_method: self._method(s) for s in SIGNALS}
        self._unauthorized = {s.grpc_method: self._refusing(s) for s in SIGNALS}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Choose by the headers, before a byte of the request is read."""
        metadata = dict(handler_call_details.invocation_metadata)
        given = metadata.get("authorization")
        if is_authorized(given and given.encode(), self._token):
            return self._methods.get(handler_call_details.method)
        return self._unauthorized.get(handler_call_details.method)

    def _method(self, signal: Signal) -> grpc.RpcMethodHandler:
        async def export(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            started_s = time.perf_counter()
            outcome = Outcome.DISCONNECTED  # if the call is cancelled meanwhile
            try:
                outcome, warning = await self._accept(signal, request)
            except Exception as error:  # noqa: BLE001 - the edge
                refused = refusal(error)
                outcome = refused.outcome
                await _abort(context, refused)
            finally:
                self._meters.done(signal.name, outcome, started_s=started_s)
            return success(warning)

        return grpc.unary_unary_rpc_method_handler(export)

    async def _accept(self, signal: Signal, request: bytes) -> tuple[Outcome, str]:
        if signal is METRICS or (signal is LOGS and not tells_calls(request)):
            return Outcome.IGNORED, ""
        with self._intake.hold() as hold:
            hold.grow(len(request))
            self._meters.request_bytes.inc(len(request))
            spans = spans_of(request) if signal is LOGS else request
            return Outcome.ACCEPTED, await self._intake.accept(spans)

    def _refusing(self, signal: Signal) -> grpc.RpcMethodHandler:
        """A handler that answers without reading: declared as a stream, it can."""

        async def refuse(_requests: object, context: grpc.aio.ServicerContext) -> bytes:
            now_s = time.perf_counter()
            self._meters.done(signal.name, Outcome.UNAUTHORIZED, started_s=now_s)
            await _abort(context, Refused(Outcome.UNAUTHORIZED, HOW_TO_AUTHORIZE))

        return grpc.stream_unary_rpc_method_handler(refuse)


async def _abort(context: grpc.aio.ServicerContext, refused: Refused) -> NoReturn:
    """End the call with the refusal; RetryInfo says when to send again.

    `google.rpc.retryinfo-bin` is where Python's exporter looks for it, the
    details where the specification puts it.
    """
    code, message, wait_s = refused.outcome.code, str(refused), refused.retry_after_s
    details = status_details(code, message, retry_after_s=wait_s)
    trailers: tuple[tuple[str, bytes], ...] = (("grpc-status-details-bin", details),)
    if wait_s is not None:
        info = retry_info(wait_s).SerializeToString()
        trailers = (*trailers, ("google.rpc.retryinfo-bin", info))
    await context.abort(_CODES[code], message, trailing_metadata=trailers)
    raise AssertionError("abort raises")


@asynccontextmanager
async def serve_grpc(
    handler: OtlpGrpc, settings: ReceiveSettings
) -> AsyncIterator[int]:
    """Serve until the block ends and calls are answered; gives the bound port.

    Raises:
        ConfigError: the port is taken, or the certificate does not load.
    """
    server = grpc.aio.server(options=_options(settings))
    server.add_generic_rpc_handlers((handler,))
    port = _bind(server, settings)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(settings.limits.stop_timeout_s)


def _options(settings: ReceiveSettings) -> list[tuple[str, Any]]:
    limits = settings.limits
    return [
        ("grpc.max_receive_message_length", limits.max_bytes),
        ("grpc.max_concurrent_streams", _STREAMS_PER_CONNECTION),
        ("grpc.max_connection_idle_ms", int(limits.idle_timeout_s * 1000)),
        ("grpc.so_reuseport", 0),  # or a second collector would share the port
    ]


def _bind(server: grpc.aio.Server, settings: ReceiveSettings) -> int:
    host, port = settings.grpc_host.strip("[]"), settings.grpc_port
    # gRPC does not say why it cannot bind; a socket of our own does.
    listen(host, port, option="grpc_port").close()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if settings.tls is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, _credentials(settings.tls)))
    except RuntimeError as error:
        raise ConfigError(f"grpc_port: cannot listen on {address}: {error}") from error


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    pair = tls.key.read_bytes(), tls.certificate.read_bytes()
    return grpc.ssl_server_credentials([pair])
