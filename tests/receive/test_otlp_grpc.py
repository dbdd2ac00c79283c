"""OTLP/gRPC: what is answered to what, over a real server and channel."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from farthing.collector.receive.otlp import LOGS, METRICS, TRACES
from tests.receive.running import KIB, Running, captured, running

BODY = captured("official-openai")[0]
ONE_SPAN = b"\x0a\x04\x12\x02\x12\x00"

Export = Any  # grpc has no type for a multicallable without stubs


def call(
    receiver: Running,
    body: bytes,
    *,
    method: str = TRACES.grpc_method,
    **options: Any,
) -> bytes:
    """One unary call with raw bytes; raises grpc.RpcError."""
    with grpc.insecure_channel(receiver.grpc_target) as channel:
        answer: bytes = channel.unary_unary(method)(body, timeout=30, **options)
    return answer


def refusal(receiver: Running, body: bytes, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        call(receiver, body, **options)
    return error.value


def status_of(error: Any) -> Status:
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    return Status.FromString(details)


BEARER = (("authorization", "Bearer s3cret"),)


@pytest.mark.parametrize(
    "compression",
    [
        grpc.Compression.NoCompression,
        grpc.Compression.Gzip,
        grpc.Compression.Deflate,
    ],
)
def test_request_is_stored(receiver: Running, compression: grpc.Compression) -> None:
    """A request is stored byte for byte; the answer says nothing was rejected."""
    answer = call(receiver, BODY, compression=compression)
    response = ExportTraceServiceResponse.FromString(answer)
    assert not response.HasField("partial_success")
    assert receiver.spool.requests == [BODY]


def test_spans_without_valid_ids_are_taken_and_told_of(receiver: Running) -> None:
    """A span whose ids are not valid is stored like any other, and the answer warns."""
    response = ExportTraceServiceResponse.FromString(call(receiver, ONE_SPAN))
    assert response.partial_success.rejected_spans == 0
    assert "16 and 8 bytes, or all zero" in response.partial_success.error_message
    assert receiver.spool.requests == [ONE_SPAN]


@pytest.mark.parametrize("signal", [METRICS, LOGS])
def test_other_signals(receiver: Running, signal: Any) -> None:
    """Metrics and logs are answered with success, counted and dropped unread."""
    labels = {"transport": "grpc", "signal": signal.name, "outcome": "ignored"}
    before = receiver.metric("requests_total", **labels)
    assert call(receiver, b"anything", method=signal.grpc_method) == b""
    assert not receiver.spool.requests
    assert receiver.metric("requests_total", **labels) == before + 1


def test_malformed(receiver: Running) -> None:
    """What is not the message is INVALID_ARGUMENT, and the Status says why."""
    error: Any = refusal(receiver, BODY[:-1])
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not an ExportTraceServiceRequest" in error.details()
    assert status_of(error).message == error.details()
    assert not status_of(error).details
    assert not receiver.spool.requests


def test_unknown_method(receiver: Running) -> None:
    """A method that is not OTLP's is UNIMPLEMENTED."""
    error: Any = refusal(receiver, BODY, method="/other.Service/Export")
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic s3cret"),)],
)
def test_unauthorized(strict: Running, metadata: Any) -> None:
    """Without the token: UNAUTHENTICATED, and nothing is stored."""
    error: Any = refusal(strict, BODY, metadata=metadata)
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "OTEL_EXPORTER_OTLP_HEADERS" in error.details()
    assert not strict.spool.requests


def test_authorized(strict: Running) -> None:
    """With the token the request is stored."""
    call(strict, BODY, metadata=BEARER)
    assert strict.spool.requests.pop() == BODY


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip]
)
def test_too_large(strict: Running, compression: grpc.Compression) -> None:
    """Above the limit, compressed or not: RESOURCE_EXHAUSTED without RetryInfo."""
    error: Any = refusal(
        strict, bytes(65 * KIB), metadata=BEARER, compression=compression
    )
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in dict(error.trailing_metadata())
    assert not strict.spool.requests


def test_backpressure(receiver: Running) -> None:
    """A full spool is UNAVAILABLE with RetryInfo, where both kinds of client look."""
    receiver.spool.refuse(1, retry_after_s=2)
    error: Any = refusal(receiver, BODY)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error.details() == "the spool is full"
    (packed,) = status_of(error).details
    info = RetryInfo()
    assert packed.Unpack(info)
    assert info.retry_delay.seconds == 2
    trailer = dict(error.trailing_metadata())["google.rpc.retryinfo-bin"]
    assert RetryInfo.FromString(trailer) == info
    call(receiver, BODY)
    assert receiver.spool.requests == [BODY]


def test_memory_budget(strict: Running) -> None:
    """When requests in flight hold all the memory they may, the next must wait."""
    with strict.blocked() as first:
        headers = {
            "content-type": "application/x-protobuf",
            "authorization": "Bearer s3cret",
        }
        first.post(BODY, headers)
        error: Any = refusal(strict, bytes(64 * KIB), metadata=BEARER)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert first.release().status == 200
    assert strict.spool.requests.pop() == BODY


def test_cancelled() -> None:
    """A call that its sender gives up while it waits is counted as disconnected."""
    with running() as receiver:
        with (
            receiver.blocked(),
            grpc.insecure_channel(receiver.grpc_target) as channel,
        ):
            call = channel.unary_unary(TRACES.grpc_method).future(BODY, timeout=30)
            assert receiver.spool.entered.wait(10)
            call.cancel()
            assert receiver.spool.cancelled.wait(10)
        assert not receiver.spool.requests
    labels = {"transport": "grpc", "signal": "traces", "outcome": "disconnected"}
    assert receiver.metric("requests_total", **labels) == 1
    assert receiver.metric("in_flight_bytes") == 0


_BOMBER = """
import grpc, sys
options = [("grpc.max_send_message_length", -1)]
with grpc.insecure_channel(sys.argv[1], options) as channel:
    try:
        bomb = bytes(256 << 20)
        channel.unary_unary(sys.argv[2])(bomb, compression=grpc.Compression.Gzip)
    except grpc.RpcError as error:
        print(error.code().name)
"""


def test_bomb(receiver: Running) -> None:
    """A compressed bomb is refused by gRPC's core before it takes the memory."""
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    command = [sys.executable, "-c", _BOMBER, receiver.grpc_target, TRACES.grpc_method]
    sender = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60
    )
    assert sender.stdout.strip() == "RESOURCE_EXHAUSTED"
    after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after_kib - before_kib < 64 * KIB
    assert call(receiver, b"") == b""
