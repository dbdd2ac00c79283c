"""Checking a request, and how answers are written."""

from __future__ import annotations

import json

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from farthing.collector.receive.otlp import Encoding, check_request, encoding_of
from farthing.collector.receive.outline import MAX_PARTS
from farthing.errors import BadPayload, TooLarge
from tests.receive.running import captured
from tests.receive.test_otlp_json import requests

ONE_SPAN = b"\x0a\x04\x12\x02\x12\x00"


def span_count(request: ExportTraceServiceRequest) -> int:
    return sum(
        1 for r in request.resource_spans for c in r.scope_spans for _ in c.spans
    )


def nested(*tags: int, content: bytes) -> bytes:
    """`content` in length-delimited fields, the innermost tag last."""
    for tag in reversed(tags):
        size, prefix = len(content), bytearray()
        while size > 0x7F:
            prefix.append(size & 0x7F | 0x80)
            size >>= 7
        content = bytes([tag, *prefix, size]) + content
    return content


@given(requests)
def test_spans_are_counted(request: ExportTraceServiceRequest) -> None:
    """The count is that of the spans in all scopes of all resources."""
    assert check_request(request.SerializeToString()).spans == span_count(request)


@pytest.mark.parametrize("body", captured())
def test_captured_requests(body: bytes) -> None:
    """What real SDKs sent is valid, and nothing is odd about it."""
    spans = span_count(ExportTraceServiceRequest.FromString(body))
    assert check_request(body) == (spans, "")


@pytest.mark.parametrize("trace_id", [b"", bytes(16), b"\1" * 15, b"\1" * 17])
@pytest.mark.parametrize("span_id", [b"", bytes(8), b"\1" * 7, b"\1" * 16])
def test_invalid_ids(trace_id: bytes, span_id: bytes) -> None:
    """An id of another length, or of zeros alone, is told of, with whose it is."""
    for ids in ((trace_id, b"\1" * 8), (b"\1" * 16, span_id), (trace_id, span_id)):
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        scope.scope.name = "my.agents"
        scope.spans.add(trace_id=ids[0], span_id=ids[1])
        checked = check_request(request.SerializeToString())
        assert checked.spans == 1
        assert "'my.agents'" in checked.warning


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        b"\x0a",
        ONE_SPAN[:-1],
        b"{}",
        # A name that is not UTF-8, an attribute that is not a KeyValue: only the
        # full parse sees these.
        nested(0x0A, 0x12, 0x12, 0x2A, content=b"\xff"),
        nested(0x0A, 0x12, 0x12, 0x4A, content=b"\xff"),
    ],
)
def test_malformed(body: bytes) -> None:
    """What is not the message is refused, however deep the fault lies."""
    with pytest.raises(BadPayload, match="not an ExportTraceServiceRequest"):
        check_request(body)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"\x0a\x00" * (MAX_PARTS + 1), "resources"),
        (nested(0x0A, content=b"\x12\x00" * (MAX_PARTS + 1)), "scopes"),
        (nested(0x0A, 0x12, content=b"\x12\x00" * (MAX_PARTS + 1)), "spans"),
    ],
)
def test_too_many_parts(body: bytes, parts: str) -> None:
    """A request made of empty parts, to grow when it is parsed, is refused."""
    with pytest.raises(TooLarge, match=f"{MAX_PARTS + 1} {parts}"):
        check_request(body)


def test_as_many_parts_as_allowed() -> None:
    """The limit itself is allowed."""
    assert check_request(ONE_SPAN * MAX_PARTS).spans == MAX_PARTS


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (b"application/x-protobuf", Encoding.PROTOBUF),
        (b"application/json", Encoding.JSON),
        (b"Application/Json ; charset=utf-8", Encoding.JSON),
        (b"application/protobuf", None),
        (b"", None),
    ],
)
def test_content_types(content_type: bytes, encoding: Encoding | None) -> None:
    """The two content types of OTLP are known, in any case, with parameters."""
    assert encoding_of(content_type) is encoding


def test_status_in_both_encodings() -> None:
    """A refusal says the same in protobuf and in JSON."""
    in_protobuf = Status.FromString(Encoding.PROTOBUF.status(3, "söße"))
    in_json = json.loads(Encoding.JSON.status(3, "söße"))
    assert in_json == {"code": in_protobuf.code, "message": in_protobuf.message}
