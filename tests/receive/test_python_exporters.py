"""Python's exporters, HTTP and gRPC, set up through the environment as users do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpExporter,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from farthing.collector.receive.settings import ReceiveSettings, Tls
from tests.receive.running import Running, running


@dataclass(frozen=True)
class Protocol:
    """An exporter and where it finds the receiver."""

    name: str
    exporter: Callable[[], SpanExporter]
    port: Callable[[Running], int]


HTTP = Protocol("http", HttpExporter, lambda receiver: receiver.endpoints.http_port)
GRPC = Protocol("grpc", GrpcExporter, lambda receiver: receiver.endpoints.grpc_port)


@pytest.fixture(params=[HTTP, GRPC], ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    chosen: Protocol = request.param
    return chosen


@pytest.fixture(scope="module")
def spans() -> Sequence[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("test")
    for number in range(3):
        with tracer.start_as_current_span(f"chat {number}") as span:
            span.set_attribute("gen_ai.usage.input_tokens", 1200 + number)
    provider.shutdown()
    return memory.get_finished_spans()


@contextmanager
def exporting(
    protocol: Protocol,
    receiver: Running,
    monkeypatch: pytest.MonkeyPatch,
    **environment: str,
) -> Iterator[Any]:
    """The exporter, set up by OTEL_EXPORTER_OTLP_* alone."""
    scheme = "https" if receiver.tls_used else "http"
    endpoint = f"{scheme}://localhost:{protocol.port(receiver)}"
    for name, value in {"endpoint": endpoint, **environment}.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name.upper()}", value)
    exporter = protocol.exporter()
    try:
        yield exporter
    finally:
        exporter.shutdown()


def stored(receiver: Running) -> list[tuple[bytes, int]]:
    (body,) = receiver.spool.requests
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    return [
        (span.span_id, span.attributes[0].value.int_value)
        for span in resource.scope_spans[0].spans
    ]


def sent(spans: Sequence[ReadableSpan]) -> list[tuple[bytes, int]]:
    return [
        (
            span.get_span_context().span_id.to_bytes(8, "big"),  # type: ignore[union-attr]
            1200 + number,
        )
        for number, span in enumerate(spans)
    ]


@pytest.mark.parametrize(
    ("protocol", "compression"),
    [
        (HTTP, {}),
        (HTTP, {"compression": "gzip"}),
        (HTTP, {"compression": "deflate"}),
        (GRPC, {}),
        (GRPC, {"compression": "gzip"}),
    ],
)
def test_spans_arrive(
    receiver: Running,
    protocol: Protocol,
    spans: Sequence[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    compression: dict[str, str],
) -> None:
    """What the exporter sent is stored, compressed or not."""
    with exporting(protocol, receiver, monkeypatch, **compression) as exporter:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert stored(receiver) == sent(spans)


def test_backpressure(
    receiver: Running,
    protocol: Protocol,
    spans: Sequence[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused four times for want of room, the exporter tries again and succeeds.

    By itself it would wait 1, 2, 4 and 8 s, which is more than its time (10 s): it
    succeeds because it does as Retry-After or RetryInfo (0 s) says.
    """
    receiver.spool.refuse(4, retry_after_s=0)
    with exporting(protocol, receiver, monkeypatch, timeout="10") as exporter:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert not receiver.spool.refusals
    assert stored(receiver) == sent(spans)


def test_token(
    protocol: Protocol,
    spans: Sequence[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the token in OTEL_EXPORTER_OTLP_HEADERS the exporter is let in."""
    settings = ReceiveSettings(http_port=0, grpc_port=0, token="s3cret")
    with running(settings) as receiver:
        with exporting(protocol, receiver, monkeypatch) as exporter:
            assert exporter.export(spans) is SpanExportResult.FAILURE
        assert not receiver.spool.requests
        headers = "Authorization=Bearer%20s3cret"
        with exporting(protocol, receiver, monkeypatch, headers=headers) as exporter:
            assert exporter.export(spans) is SpanExportResult.SUCCESS
        assert stored(receiver) == sent(spans)


def test_tls(
    protocol: Protocol,
    spans: Sequence[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    tls: Tls,
) -> None:
    """With a certificate both transports speak TLS, and exporters trust it."""
    # requests prefers these to what the exporter was given.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    settings = ReceiveSettings(http_port=0, grpc_port=0, tls=tls)
    with (
        running(settings) as receiver,
        exporting(
            protocol, receiver, monkeypatch, certificate=str(tls.certificate)
        ) as exporter,
    ):
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        assert stored(receiver) == sent(spans)
