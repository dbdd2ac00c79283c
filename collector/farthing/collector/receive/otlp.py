"""OTLP itself: which signals there are, is a request valid, how are answers written.

Source: https://opentelemetry.io/docs/specs/otlp/ (1.x). Pure; no I/O.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.receive.outline import count_spans
from farthing.errors import BadPayload

_SERVICES = "opentelemetry.proto.collector"


@dataclass(frozen=True)
class Signal:
    """A kind of telemetry and where exporters send it."""

    name: str
    http_path: str
    grpc_method: str


TRACES = Signal("traces", "/v1/traces", f"/{_SERVICES}.trace.v1.TraceService/Export")
METRICS = Signal(
    "metrics", "/v1/metrics", f"/{_SERVICES}.metrics.v1.MetricsService/Export"
)
LOGS = Signal("logs", "/v1/logs", f"/{_SERVICES}.logs.v1.LogsService/Export")
SIGNALS = (TRACES, METRICS, LOGS)


class Encoding(Enum):
    """How a message is written on the wire; an answer uses the request's.

    `success` is an empty `Export…ServiceResponse`, the same bytes for each
    signal: the specification wants `partial_success` unset when all was taken.
    """

    PROTOBUF = b"application/x-protobuf", b""
    JSON = b"application/json", b"{}"

    def __init__(self, content_type: bytes, success: bytes) -> None:
        self.content_type = content_type
        self.success = success

    def status(self, code: int, message: str) -> bytes:
        """A `google.rpc.Status`: the body of every answer but success."""
        if self is Encoding.JSON:
            return json.dumps({"code": code, "message": message}).encode()
        return status_details(code, message)


_ENCODINGS = {encoding.content_type: encoding for encoding in Encoding}


def encoding_of(content_type: bytes) -> Encoding | None:
    """The encoding that a `Content-Type` names, parameters aside; None if none."""
    encoding = _ENCODINGS.get(content_type)
    if encoding is not None:
        return encoding
    return _ENCODINGS.get(content_type.partition(b";")[0].strip().lower())


def check_request(request: bytes) -> int:
    """Check that `request` is an `ExportTraceServiceRequest`; count its spans.

    Parsed in C (upb); a Python object per scope, none per span. Spans are not
    looked into, so a span with an id of the wrong length is accepted.

    Raises:
        BadPayload: the bytes are not such a message.
        TooLarge: it has absurdly many spans.
    """
    try:
        spans = count_spans(request)
        ExportTraceServiceRequest.FromString(request)
    except DecodeError as error:
        raise BadPayload(
            "the body is not an ExportTraceServiceRequest in protobuf: it is cut off,"
            " of another message type, or of another encoding than its headers say"
        ) from error
    return spans


def status_details(
    code: int, message: str, *, retry_after_s: int | None = None
) -> bytes:
    """A `google.rpc.Status`, with a `RetryInfo` if the sender should try again."""
    status = Status(code=code, message=message)
    if retry_after_s is not None:
        status.details.add().Pack(retry_info(retry_after_s))
    written: bytes = status.SerializeToString()
    return written


def retry_info(retry_after_s: int) -> RetryInfo:
    """When to send again, as gRPC says it."""
    return RetryInfo(retry_delay=Duration(seconds=retry_after_s))
