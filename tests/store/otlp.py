"""OTLP requests of spans that a test describes by their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from farthing.collector.store.ledger import Ledger

Attributes = Mapping[str, Any]
DEFAULT_END_S = 1_790_000_000  # 2026-09-21


@dataclass(frozen=True)
class Told:
    """One span: its attributes, and what stands around them."""

    attributes: Attributes
    scope: str = "opentelemetry.instrumentation.genai.openai"
    scope_version: str = "1.3b0"
    name: str = "chat"
    end_s: int = DEFAULT_END_S
    start_s: int | None = None
    is_error: bool = False
    resource: Attributes = field(default_factory=dict)


def request(spans: Iterable[Told]) -> bytes:
    """A request in which each span has a resource and a scope of its own.

    The number of the span, from 0, and 1 is its span id: OTLP has no id 0.
    """
    made = ExportTraceServiceRequest()
    for number, told in enumerate(spans):
        resource = made.resource_spans.add()
        resource.resource.attributes.extend(_pairs(told.resource))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = told.scope, told.scope_version
        span = scope.spans.add(name=told.name)
        span.trace_id = number.to_bytes(16)
        span.span_id = (number + 1).to_bytes(8)
        span.end_time_unix_nano = told.end_s * 10**9
        start_s = told.end_s - 1 if told.start_s is None else told.start_s
        span.start_time_unix_nano = start_s * 10**9
        span.attributes.extend(_pairs(told.attributes))
        if told.is_error:
            span.status.code = span.status.STATUS_CODE_ERROR
    return made.SerializeToString()


def rows(ledger: Ledger, name: str, spans: Iterable[Told]) -> dict[int, dict[str, Any]]:
    """Load spans as one batch; what the ledger holds of them, by their number."""
    ledger.load(name, [request(spans)])
    return {int(row["span_id"], 16) - 1: row for row in entries(ledger, name)}


def entries(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    """The entries that a batch brought."""
    query = "SELECT * FROM spans WHERE load = {name:String}"
    return ledger.store.rows(query, {"name": name})


def captured(path: Path) -> Iterator[bytes]:
    """The requests of a capture: each behind its length as a varint."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        size = shift = 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield data[at : at + size]
        at += size


def _pairs(attributes: Attributes) -> Iterator[KeyValue]:
    for key, value in attributes.items():
        yield KeyValue(key=key, value=_any(value))


def _any(value: Any) -> AnyValue:
    made = AnyValue()
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, int):
        made.int_value = value
    elif isinstance(value, float):
        made.double_value = value
    elif isinstance(value, list):
        made.array_value.values.extend(_any(item) for item in value)
    else:
        made.string_value = value
    return made
