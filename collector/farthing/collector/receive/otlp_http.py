"""OTLP/HTTP and the pages beside it, as one bare ASGI application.

Bare, because at one span a request a framework's routing, request and response
objects would cost as much again as everything that is done here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from prometheus_client.exposition import choose_encoder

from farthing.collector.receive.bodies import (
    Body,
    Decoder,
    Discarded,
    Inflated,
    Plain,
    too_large,
)
from farthing.collector.receive.intake import (
    HOW_TO_AUTHORIZE,
    Hold,
    Intake,
    is_authorized,
)
from farthing.collector.receive.meters import NO_SIGNAL, ReceiveMeters
from farthing.collector.receive.otlp import (
    LOGS,
    METRICS,
    SIGNALS,
    TRACES,
    Encoding,
    Signal,
    encoding_of,
)
from farthing.collector.receive.otlp_json import to_protobuf
from farthing.collector.receive.outcomes import (
    Disconnected,
    Outcome,
    Refused,
    refusal,
)
from farthing.collector.receive.told_in_logs import spans_of, tells_calls
from farthing.economics.leases import LARGEST_REPORT_BYTES

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.types import Receive, Scope, Send

    from farthing.collector.receive.settings import Limits

Readiness = Callable[[], str | None]
"""Why the collector is not ready to receive, or None if it is."""

Documents = Mapping[str, Callable[[], bytes | None]]
"""JSON that is served beside, by path: from memory, None while there is none."""

Answers = Mapping[str, Callable[[bytes], bytes]]
"""JSON that is answered to JSON, by path: from memory, in a thread of its own, so that
a long question holds up nobody else."""

_Headers = dict[bytes, bytes]
_COMPRESSED = {b"gzip": "gzip", b"x-gzip": "gzip", b"deflate": "deflate"}
_SIGNALS = {signal.http_path: signal for signal in SIGNALS}
_PAGES = ("/healthz", "/readyz", "/metrics")
_BIG_JSON_BYTES = 1 << 18  # above it, converting would hold up other senders


@dataclass(frozen=True)
class _Answer:
    outcome: Outcome
    content_type: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class OtlpHttp:
    """The ASGI application on the OTLP/HTTP port."""

    def __init__(
        self,
        intake: Intake,
        *,
        meters: ReceiveMeters,
        limits: Limits,
        token: str | None,
        registry: CollectorRegistry,
        why_not_ready: Readiness,
        documents: Documents | None = None,
        answers: Answers | None = None,
    ) -> None:
        self._intake = intake
        self._meters = meters
        self._limits = limits
        self._token = token
        self._registry = registry
        self._why_not_ready = why_not_ready
        self._documents = documents or {}
        self._answers = answers or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.perf_counter()
        headers = dict(scope["headers"])
        signal = _SIGNALS.get(scope["path"])
        body = Body(receive, expected=_has_body(headers))
        try:
            if signal is None and scope["method"] == "POST":
                answer = await self._answer(scope, headers, body)
            elif signal is None:
                answer = self._page(scope, headers)
            else:
                answer = await self._export(signal, scope["method"], headers, body)
        except Disconnected:
            answer = _Answer(Outcome.DISCONNECTED, b"", b"")
        except Exception as error:  # noqa: BLE001 - the edge: each error has an answer
            answer = _refused(refusal(error), headers)
        name = NO_SIGNAL if signal is None else signal.name
        self._meters.http.done(name, answer.outcome, started_s=started_s)
        if answer.outcome is not Outcome.DISCONNECTED:
            await self._send(answer, body, send)

    async def _export(
        self, signal: Signal, method: str, headers: _Headers, body: Body
    ) -> _Answer:
        if method != "POST":
            raise _not_allowed(b"POST")
        self._authorize(headers)
        if b"upgrade" in headers:
            raise _no_upgrade()
        encoding = encoding_of(headers.get(b"content-type", b""))
        if encoding is None:
            raise _unsupported_type(headers)
        with self._intake.hold() as hold:
            decoder = self._decoder(signal, headers)
            request = await self._read(body, decoder, hold)
            if signal is not TRACES and not tells_calls(request):
                return _taken(Outcome.IGNORED, encoding)
            if encoding is Encoding.JSON:
                request = await _from_json(request, signal)
            if signal is LOGS:
                request = spans_of(request)
            warning = await self._intake.accept(request)
        return _taken(Outcome.ACCEPTED, encoding, warning)

    def _authorize(self, headers: _Headers) -> None:
        if not is_authorized(headers.get(b"authorization"), self._token):
            raise Refused(
                Outcome.UNAUTHORIZED,
                HOW_TO_AUTHORIZE,
                headers=((b"www-authenticate", b'Bearer realm="farthing"'),),
            )

    def _decoder(self, signal: Signal, headers: _Headers) -> Decoder:
        limits = self._limits
        coding = headers.get(b"content-encoding", b"identity").strip().lower()
        name = _COMPRESSED.get(coding)
        if name is None and coding not in (b"identity", b""):
            raise Refused(
                Outcome.UNSUPPORTED,
                f"content encoding {coding.decode('latin-1')!r} is not supported:"
                " use gzip, deflate or none (OTEL_EXPORTER_OTLP_COMPRESSION=gzip)",
                headers=((b"accept-encoding", b"gzip, deflate, identity"),),
            )
        max_wire_bytes = limits.max_compressed_bytes if name else limits.max_bytes
        if int(headers.get(b"content-length", b"0")) > max_wire_bytes:
            raise too_large(max_wire_bytes)
        if signal is METRICS:
            return Discarded(max_wire_bytes)
        if name is None:
            return Plain(max_wire_bytes)
        return Inflated(name, max_wire_bytes=max_wire_bytes, max_bytes=limits.max_bytes)

    async def _read(self, body: Body, decoder: Decoder, hold: Hold) -> bytes:
        timeout_s = self._limits.body_timeout_s
        request = await body.read(decoder, hold=hold.grow, timeout_s=timeout_s)
        self._meters.http_wire_bytes.inc(body.wire_bytes)
        self._meters.http.request_bytes.inc(len(request))
        return request

    async def _answer(self, scope: Scope, headers: _Headers, body: Body) -> _Answer:
        answer = self._answers.get(scope["path"])
        if answer is None:
            return self._page(scope, headers)
        self._authorize(headers)
        with self._intake.hold() as hold:
            question = await self._read(body, Plain(LARGEST_REPORT_BYTES), hold)
            told = await asyncio.to_thread(answer, question)
        return _Answer(Outcome.SERVED, b"application/json", told)

    def _page(self, scope: Scope, headers: _Headers) -> _Answer:
        path = scope["path"]
        if path not in (*_PAGES, *self._documents):
            known = ", ".join((*_SIGNALS, *_PAGES, *self._documents))
            raise Refused(Outcome.NOT_FOUND, f"no such path; there are {known}")
        if scope["method"] not in ("GET", "HEAD"):
            raise _not_allowed(b"GET, HEAD")
        if path in self._documents:
            self._authorize(headers)
            return self._document(path)
        if path == "/metrics":
            self._authorize(headers)
            return self._metrics(headers)
        reason = self._why_not_ready() if path == "/readyz" else None
        if reason is not None:
            raise Refused(Outcome.OVERLOADED, reason, retry_after_s=1)
        return _Answer(Outcome.SERVED, b"text/plain; charset=utf-8", b"ok\n")

    def _document(self, path: str) -> _Answer:
        body = self._documents[path]()
        if body is None:
            raise Refused(Outcome.OVERLOADED, "not known yet", retry_after_s=1)
        return _Answer(Outcome.SERVED, b"application/json", body)

    def _metrics(self, headers: _Headers) -> _Answer:
        accept = headers.get(b"accept", b"").decode("latin-1")
        encode, content_type = choose_encoder(accept)
        body = encode(self._registry)
        return _Answer(Outcome.SERVED, content_type.encode(), body)

    async def _send(self, answer: _Answer, body: Body, send: Send) -> None:
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            *answer.headers,
        ]
        if not body.complete:
            headers.append((b"connection", b"close"))
        await send(
            {
                "type": "http.response.start",
                "status": answer.outcome.http_status,
                "headers": headers,
            }
        )
        if not body.complete:
            await send(_piece(answer.body, more=True))
            await body.linger()
            await send(_piece(b""))
        else:
            await send(_piece(answer.body))


def _taken(outcome: Outcome, encoding: Encoding, warning: str = "") -> _Answer:
    return _Answer(outcome, encoding.content_type, encoding.success(warning))


def _refused(refused: Refused, headers: _Headers) -> _Answer:
    outcome, message = refused.outcome, str(refused)
    encoding = encoding_of(headers.get(b"content-type", b"")) or Encoding.JSON
    extra = refused.headers
    if refused.retry_after_s is not None:
        extra = (*extra, (b"retry-after", b"%d" % refused.retry_after_s))
    body = encoding.status(outcome.code, message)
    return _Answer(outcome, encoding.content_type, body, extra)


async def _from_json(body: bytes, signal: Signal) -> bytes:
    message = ExportLogsServiceRequest if signal is LOGS else ExportTraceServiceRequest
    if len(body) > _BIG_JSON_BYTES:
        return await asyncio.to_thread(to_protobuf, body, message.DESCRIPTOR)
    return to_protobuf(body, message.DESCRIPTOR)


def _has_body(headers: _Headers) -> bool:
    declared = headers.get(b"content-length", b"0") != b"0"
    return declared or b"transfer-encoding" in headers


def _piece(body: bytes, *, more: bool = False) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _not_allowed(allow: bytes) -> Refused:
    message = f"this path takes {allow.decode()} only"
    return Refused(Outcome.NOT_ALLOWED, message, headers=((b"allow", allow),))


def _no_upgrade() -> Refused:
    # httptools takes what follows such headers for the other protocol, so the body
    # is lost: better to say so than to call it malformed.
    message = "upgrading (to h2c, say) is not supported: send plain HTTP/1.1, or gRPC"
    return Refused(Outcome.MALFORMED, message)


def _unsupported_type(headers: _Headers) -> Refused:
    given = headers.get(b"content-type", b"").decode("latin-1")
    return Refused(
        Outcome.UNSUPPORTED,
        f"content type {given!r} is not supported: send application/x-protobuf or"
        " application/json (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or http/json)",
    )
