"""OTLP itself: which signals there are, is a request valid, how are answers written.

Source: https://opentelemetry.io/docs/specs/otlp/ (1.x). Pure; no I/O.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from farthing.collector.receive.outline import count_spans
from farthing.errors import BadPayload

_SERVICES = "opentelemetry.proto.collector"
_LOOKED_AT: Final = 16
NO_IDS: Final = (
    "spans of {scope!r} have a trace id or span id that OTLP calls invalid (not 16 and"
    " 8 bytes, or all zero): they are priced and counted, but what belongs together"
    " cannot be known"
)


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

    The value is its content type.
    """

    PROTOBUF = b"application/x-protobuf"
    JSON = b"application/json"

    @property
    def content_type(self) -> bytes:
        return self.value

    def success(self, warning: str = "") -> bytes:
        """An `Export…ServiceResponse`, which is alike for each signal.

        The specification wants `partial_success` unset where all was taken and there
        is nothing to say, and none rejected where there is a warning.
        """
        if self is Encoding.JSON:
            said = {"partialSuccess": {"errorMessage": warning}} if warning else {}
            return json.dumps(said).encode()
        return success(warning)

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


class Checked(NamedTuple):
    """A valid request: its spans, and what its sender should know, if anything."""

    spans: int
    warning: str


def check_request(request: bytes) -> Checked:
    """Check that `request` is an `ExportTraceServiceRequest`.

    Parsed in C (upb); a Python object per scope, none per span.

    Raises:
        BadPayload: the bytes are not such a message.
        TooLarge: it has absurdly many spans.
    """
    try:
        spans = count_spans(request)
        parsed = ExportTraceServiceRequest.FromString(request)
    except DecodeError as error:
        raise BadPayload(
            "the body is not an ExportTraceServiceRequest in protobuf: it is cut off,"
            " of another message type, or of another encoding than its headers say"
        ) from error
    return Checked(spans, _warning(parsed))


def _warning(request: ExportTraceServiceRequest) -> str:
    """What is odd about its spans. Ids come from one generator in each process, so the
    first span of a resource stands for all, and a few resources for the rest."""
    for resource in islice(request.resource_spans, _LOOKED_AT):
        for scope in islice(resource.scope_spans, 1):
            for span in islice(scope.spans, 1):
                if not (_is_id(span.trace_id, 16) and _is_id(span.span_id, 8)):
                    return NO_IDS.format(scope=scope.scope.name[:100])
    return ""


def _is_id(given: bytes, size: int) -> bool:
    return len(given) == size and any(given)


def success(warning: str = "") -> bytes:
    """An `ExportTraceServiceResponse` of a request that was taken whole."""
    if not warning:
        return b""
    said = ExportTracePartialSuccess(error_message=warning)
    return bytes(ExportTraceServiceResponse(partial_success=said).SerializeToString())


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
