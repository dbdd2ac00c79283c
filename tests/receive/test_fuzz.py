"""Whatever arrives: no crash, no 5xx, and nothing stored that was not sent."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Callable, Iterator

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from farthing.collector.receive.otlp import TRACES
from farthing.collector.receive.otlp_json import to_protobuf
from tests.receive.running import Running, captured
from tests.receive.test_otlp_json import otlp_json

bounded = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

PROTOBUF_BODIES = sorted(captured(), key=len)[:12]
JSON_BODIES = [
    json.dumps(otlp_json(ExportTraceServiceRequest.FromString(body))).encode()
    for body in PROTOBUF_BODIES
]
CODINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "identity": (bytes, bytes),
    "gzip": (gzip.compress, gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
}
REFUSED = {400, 413, 415}


def mutate(draw: st.DrawFn, data: bytes) -> bytes:
    """Flip, cut, repeat, insert or overwrite, up to three times."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        to = at + draw(st.integers(0, 12))
        patch = draw(st.binary(max_size=6))
        data = draw(
            st.sampled_from(
                [
                    data[:at] + patch + data[at + len(patch) :],
                    data[:at] + patch + data[at:],
                    data[:at] + data[to:],
                    data[:to] + data[at:],
                    data[:at],
                ]
            )
        )
    return data


@st.composite
def http_requests(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """A body, its content type and its content encoding, each perhaps damaged."""
    is_json = draw(st.booleans())
    body = mutate(
        draw, draw(st.sampled_from(JSON_BODIES if is_json else PROTOBUF_BODIES))
    )
    coding = draw(st.sampled_from(sorted(CODINGS)))
    compressed = CODINGS[coding][0](body)
    if coding != "identity" and draw(st.booleans()):
        compressed = mutate(draw, compressed)
    return (
        compressed,
        "application/json" if is_json else "application/x-protobuf",
        coding,
    )


def stored_for(body: bytes, content_type: str, coding: str) -> list[bytes]:
    """What a 200 must have stored, worked out without the receiver's own reader."""
    request = CODINGS[coding][1](body)
    if content_type == "application/json":
        request = to_protobuf(request)
    message = ExportTraceServiceRequest.FromString(request)
    spans = [s for r in message.resource_spans for c in r.scope_spans for s in c.spans]
    return [request] if spans else []


@bounded
@given(request=http_requests())
def test_http(receiver: Running, request: tuple[bytes, str, str]) -> None:
    """Over HTTP a damaged request is refused, or stored as exactly what it says."""
    body, content_type, coding = request
    receiver.spool.requests.clear()
    headers = {"content-type": content_type, "content-encoding": coding}
    answer = receiver.post(body, headers)
    if answer.status == 200:
        assert receiver.spool.requests == stored_for(body, content_type, coding)
    else:
        assert answer.status in REFUSED
        assert not receiver.spool.requests


@pytest.fixture(scope="module")
def calls() -> Iterator[dict[str, grpc.Channel]]:
    """Channels by target, closed at the end."""
    channels: dict[str, grpc.Channel] = {}
    yield channels
    for channel in channels.values():
        channel.close()


@bounded
@given(data=st.data())
def test_grpc(
    receiver: Running, calls: dict[str, grpc.Channel], data: st.DataObject
) -> None:
    """Over gRPC too."""
    body = data.draw(damaged_bodies())
    receiver.spool.requests.clear()
    target = receiver.grpc_target
    channel = calls.get(target) or calls.setdefault(
        target, grpc.insecure_channel(target)
    )
    try:
        answer = channel.unary_unary(TRACES.grpc_method)(body, timeout=30)
        response = ExportTraceServiceResponse.FromString(answer)
        assert response.partial_success.rejected_spans == 0
        code = grpc.StatusCode.OK
    except grpc.RpcError as error:
        code = error.code()
    if code is grpc.StatusCode.OK:
        expected = stored_for(body, "application/x-protobuf", "identity")
        assert receiver.spool.requests == expected
    else:
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert not receiver.spool.requests


@st.composite
def damaged_bodies(draw: st.DrawFn) -> bytes:
    return mutate(draw, draw(st.sampled_from(PROTOBUF_BODIES)))


@st.composite
def damaged_streams(draw: st.DrawFn) -> bytes:
    """What a connection says from its first byte, damaged anywhere."""
    body = draw(st.sampled_from(PROTOBUF_BODIES))
    head = (
        b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        b"content-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n"
    )
    return mutate(draw, head % len(body)) + body


@settings(bounded, max_examples=150)
@given(stream=damaged_streams())
def test_http_itself(receiver: Running, stream: bytes) -> None:
    """Damaged HTTP ends in an answer or a closed connection, never in a 5xx."""
    address = ("127.0.0.1", receiver.endpoints.http_port)
    with socket.create_connection(address, timeout=30) as peer:
        peer.sendall(stream)
        peer.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
    assert not answer.startswith(b"HTTP/1.1 5")
    assert receiver.request("GET", "/healthz").status == 200
