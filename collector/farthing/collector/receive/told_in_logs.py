"""Model calls that are told in logs rather than in spans: Claude Code's `api_request`.

Its spans lack the lifetimes of cache writes and the model that answered; its log record
has both, and is there where traces are not switched on. Each record becomes a span
beside its span, and goes the way of all spans. Other logs are not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from farthing.errors import BadPayload

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

SCOPE: Final = "com.anthropic.claude_code"
SPAN_NAME: Final = "claude_code.api_request"
_EVENTS: Final = ("api_request", SPAN_NAME)
_NS_PER_MS: Final = 1_000_000


def tells_calls(request: bytes) -> bool:
    """Whether an `ExportLogsServiceRequest`, in either encoding, may tell of calls."""
    return SCOPE.encode() in request


def spans_of(request: bytes) -> bytes:
    """The calls of an `ExportLogsServiceRequest` as an `ExportTraceServiceRequest`.

    Empty if it tells of none. Raises BadPayload where the bytes are not such a message.
    """
    try:
        logs = ExportLogsServiceRequest.FromString(request)
    except DecodeError as error:
        raise BadPayload("the body is not an ExportLogsServiceRequest") from error
    made = ExportTraceServiceRequest()
    for resource_logs in logs.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            if not scope_logs.scope.name.startswith(SCOPE):
                continue
            spans = list(_spans(scope_logs.log_records))
            if spans:
                resource = made.resource_spans.add(resource=resource_logs.resource)
                resource.scope_spans.add(scope=scope_logs.scope, spans=spans)
    return bytes(made.SerializeToString())


def _spans(records: Iterable[LogRecord]) -> Iterator[Span]:
    for record in records:
        values = {pair.key: pair.value for pair in record.attributes}
        named = values["event.name"].string_value if "event.name" in values else ""
        if named in _EVENTS or record.event_name in _EVENTS:
            yield _span(record, values)


def _span(record: LogRecord, values: dict[str, AnyValue]) -> Span:
    end_ns = record.time_unix_nano or record.observed_time_unix_nano
    took_ns = int(_number(values.get("duration_ms")) * _NS_PER_MS)
    # The same record, exported again, is the same span.
    digest = hashlib.sha256(record.SerializeToString(deterministic=True)).digest()
    return Span(
        trace_id=record.trace_id or digest[8:24],
        span_id=digest[:8],
        parent_span_id=record.span_id,
        name=SPAN_NAME,
        start_time_unix_nano=max(end_ns - took_ns, 0),
        end_time_unix_nano=end_ns,
        attributes=record.attributes,
    )


def _number(value: AnyValue | None) -> float:
    """A duration, however it is written; 0 where it is none."""
    if value is None:
        return 0.0
    given = getattr(value, value.WhichOneof("value") or "", 0)
    try:
        number = float(given)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 <= number < 1e9 else 0.0
