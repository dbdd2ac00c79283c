"""OTLP's JSON mapping."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
)

from farthing.collector.receive.otlp_json import to_protobuf
from farthing.collector.receive.outline import MAX_PARTS
from farthing.errors import BadPayload, TooLarge
from tests.receive.running import captured

texts = st.text(max_size=8)
uint32s = st.integers(0, 2**32 - 1)
uint64s = st.integers(0, 2**64 - 1)
values = st.recursive(
    st.one_of(
        st.builds(AnyValue, string_value=texts),
        st.builds(AnyValue, bool_value=st.booleans()),
        st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
        st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
        st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
        st.just(AnyValue()),
    ),
    lambda inner: st.one_of(
        st.builds(
            AnyValue,
            array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=3)),
        ),
        st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList,
                values=st.lists(
                    st.builds(KeyValue, key=texts, value=inner), max_size=3
                ),
            ),
        ),
    ),
    max_leaves=4,
)
attributes = st.lists(st.builds(KeyValue, key=texts, value=values), max_size=3)
links = st.builds(
    Span.Link,
    trace_id=st.binary(max_size=16),
    span_id=st.binary(max_size=8),
    attributes=attributes,
    flags=uint32s,
)
events = st.builds(
    Span.Event, time_unix_nano=uint64s, name=texts, attributes=attributes
)
spans = st.builds(
    Span,
    trace_id=st.binary(max_size=16),
    span_id=st.binary(max_size=8),
    parent_span_id=st.binary(max_size=8),
    trace_state=texts,
    flags=uint32s,
    name=texts,
    kind=st.sampled_from(range(6)),
    start_time_unix_nano=uint64s,
    end_time_unix_nano=uint64s,
    attributes=attributes,
    dropped_attributes_count=uint32s,
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    status=st.builds(Status, message=texts, code=st.sampled_from(range(3))),
)
requests = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=st.builds(Resource, attributes=attributes),
            schema_url=texts,
            scope_spans=st.lists(
                st.builds(ScopeSpans, spans=st.lists(spans, max_size=3)), max_size=2
            ),
        ),
        max_size=2,
    ),
)


def otlp_json(request: ExportTraceServiceRequest) -> Any:
    """Protobuf's own JSON mapping, with the ids rewritten as OTLP has them."""
    document = MessageToDict(request, use_integers_for_enums=True)
    for resource in document.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                _ids_to_hex(span)
                for link in span.get("links", ()):
                    _ids_to_hex(link)
    return document


def _ids_to_hex(holder: dict[str, Any]) -> None:
    for name in holder.keys() & {"traceId", "spanId", "parentSpanId"}:
        holder[name] = base64.b64decode(holder[name]).hex()


def parsed(document: object) -> ExportTraceServiceRequest:
    body = to_protobuf(json.dumps(document).encode())
    return ExportTraceServiceRequest.FromString(body)


def one_span(**fields: object) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}


def span_of(**fields: object) -> Span:
    return parsed(one_span(**fields)).resource_spans[0].scope_spans[0].spans[0]


def attribute_of(value: dict[str, object]) -> AnyValue:
    return span_of(attributes=[{"key": "k", "value": value}]).attributes[0].value


@given(requests)
def test_json_round_trip(request: ExportTraceServiceRequest) -> None:
    """A request written as JSON and read back is the same request."""
    assert parsed(otlp_json(request)) == request


@pytest.mark.parametrize("request_body", captured())
def test_captured_requests(request_body: bytes) -> None:
    """What real SDKs sent survives the way through JSON."""
    request = ExportTraceServiceRequest.FromString(request_body)
    assert parsed(otlp_json(request)) == request


def test_ids_are_hex_of_either_case() -> None:
    """Trace and span ids are hex, upper or lower case, in spans and in links."""
    span = span_of(
        traceId="5B8EFFF798038103D269B633813FC60C",
        spanId="eee19b7ec3c1b174",
        parentSpanId="EEE19B7EC3C1B173",
        links=[{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "00"}],
    )
    assert span.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
    assert span.span_id.hex() == "eee19b7ec3c1b174"
    assert span.parent_span_id.hex() == "eee19b7ec3c1b173"
    assert span.links[0].trace_id == span.trace_id
    assert span.links[0].span_id == b"\0"


@pytest.mark.parametrize(
    ("written", "read"),
    [("1544712660000000000", 1544712660000000000), (7, 7), (7.0, 7), ("-1", -1)],
)
def test_64_bit_numbers(written: object, read: int) -> None:
    """64-bit numbers may be strings or numbers."""
    assert attribute_of({"intValue": written}).int_value == read


@pytest.mark.parametrize(
    ("written", "read"),
    [(1, 1.0), (2.5, 2.5), ("2.5", 2.5), ("Infinity", float("inf"))],
)
def test_doubles(written: object, read: float) -> None:
    """Doubles may be numbers or, for what JSON cannot say, strings."""
    assert attribute_of({"doubleValue": written}).double_value == read


@pytest.mark.parametrize("written", ["+/8=", "-_8=", "+/8"])
def test_bytes_are_base64(written: str) -> None:
    """Bytes are base64 in either alphabet, padded or not."""
    assert attribute_of({"bytesValue": written}).bytes_value == b"\xfb\xff"


def test_unknown_names_and_nulls_are_ignored() -> None:
    """Names that the schema does not know, and nulls, are passed over."""
    span = span_of(name="chat", shoeSize={"deep": [1]}, trace_state="x", kind=None)
    assert span == Span(name="chat")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "expected an object"),
        ({"resourceSpans": {}}, "resourceSpans: expected an array"),
        ({"resourceSpans": [1]}, "resourceSpans[0]: expected an object, got 1"),
        (one_span(traceId="xyz"), "spans[0].traceId: expected an id in hex"),
        (one_span(traceId="ab cd"), "traceId: expected an id in hex"),
        (one_span(traceId=5), "traceId: expected a string, got 5"),
        (one_span(kind="SPAN_KIND_CLIENT"), "kind: expected an integer"),
        (one_span(kind=2**31), "kind: expected an integer from"),
        (one_span(kind=True), "kind: expected an integer"),
        (one_span(flags=-1), "flags: expected an integer from 0"),
        (one_span(startTimeUnixNano="1_000"), "startTimeUnixNano: expected an integer"),
        (one_span(startTimeUnixNano=1.5), "startTimeUnixNano: expected an integer"),
        (one_span(name="\ud800"), "name: expected a string without lone surrogates"),
        (
            one_span(attributes=[{"value": {"boolValue": 1}}]),
            "attributes[0].value.boolValue: expected true or false",
        ),
        (one_span(attributes=[{"value": {"doubleValue": "x"}}]), "expected a number"),
        (one_span(attributes=[{"value": {"doubleValue": True}}]), "expected a number"),
        (one_span(attributes=[{"value": {"bytesValue": "é"}}]), "expected bytes"),
    ],
)
def test_errors_say_where(document: object, says: str) -> None:
    """What does not fit the schema is refused, and the message says where it is."""
    with pytest.raises(BadPayload) as error:
        to_protobuf(json.dumps(document).encode())
    assert says in str(error.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"a":' + b"9" * 5000 + b"}", "{}".encode("utf-16")],
)
def test_not_json(body: bytes) -> None:
    """What is not JSON in UTF-8 is refused."""
    with pytest.raises(BadPayload, match="not JSON"):
        to_protobuf(body)


def test_too_many_parts() -> None:
    """An array of absurdly many empty objects is refused before it is converted."""
    document = one_span(events=[{}] * (MAX_PARTS + 1))
    with pytest.raises(TooLarge, match=r"spans\[0\]\.events: an array of 65537"):
        to_protobuf(json.dumps(document).encode())


def test_nesting_without_end() -> None:
    """Nesting that would exhaust the stack is refused, in known and unknown names."""
    open_value = b'{"arrayValue":{"values":['
    deep = b'{"resourceSpans":[{"resource":{"attributes":[{"value":' + open_value * 400
    deep += b"]}}" * 400 + b"}]}}]}"
    for body in (b"[" * 10**6, deep):
        with pytest.raises(BadPayload, match="nested too deeply"):
            to_protobuf(body)
