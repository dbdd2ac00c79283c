"""How many resources, scopes and spans a request has, before it is parsed in full.

Two bytes can make an empty span that takes 170 bytes once parsed, so a compressed
request of a few kilobytes could take more than a gigabyte and stop the collector
for seconds. This schema knows the same messages down to the span, which it takes
for plain bytes: its parse costs a thirtieth of the full one and tells a request
of absurdly many parts from a large one.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool

from farthing.errors import TooLarge

MAX_PARTS = 65_536  # of each kind; exporters send 512 spans, large batches 8,192


def count_spans(request: bytes) -> int:
    """The number of spans in an `ExportTraceServiceRequest`.

    Raises:
        TooLarge: more than `MAX_PARTS` resources, scopes or spans.
        google.protobuf.message.DecodeError: not such a message.
    """
    resources = _Request.FromString(request).resource_spans
    _check(len(resources), "resources")
    scopes = [resource.scope_spans for resource in resources]
    _check(sum(map(len, scopes)), "scopes")
    spans = sum(len(scope.spans) for each in scopes for scope in each)
    return _check(spans, "spans")


def _check(count: int, parts: str) -> int:
    if count > MAX_PARTS:
        raise TooLarge(
            f"the request has {count} {parts}, more than the {MAX_PARTS} that this"
            " collector takes at once: send smaller batches"
        )
    return count


def _message(name: str, field: str, number: int, kind: str | None) -> DescriptorProto:
    repeated = FieldDescriptorProto(
        name=field,
        number=number,
        label=FieldDescriptorProto.LABEL_REPEATED,
        type=(
            FieldDescriptorProto.TYPE_BYTES
            if kind is None
            else FieldDescriptorProto.TYPE_MESSAGE
        ),
        type_name=kind,
    )
    return DescriptorProto(name=name, field=[repeated])


def _request_class() -> Any:
    pool = DescriptorPool()
    pool.Add(
        FileDescriptorProto(
            name="outline.proto",
            package="outline",
            syntax="proto3",
            message_type=[
                _message("Request", "resource_spans", 1, ".outline.Resource"),
                _message("Resource", "scope_spans", 2, ".outline.Scope"),
                _message("Scope", "spans", 2, None),
            ],
        )
    )
    name = "outline.Request"
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


_Request = _request_class()
