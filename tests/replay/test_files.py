"""Reading recorded telemetry: what comes out, and what is said of bad files."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.proto import serialize_length_prefixed
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from farthing.collector.receive.otlp import check_request
from farthing.collector.replay.files import MAX_REQUEST_BYTES, read
from farthing.errors import BadPayload

CAPTURES = Path(__file__).parents[1] / "otlp"


def messages(count: int) -> list[ExportTraceServiceRequest]:
    spans = [
        Span(trace_id=bytes(15) + bytes([i + 1]), span_id=bytes(8), name="x" * 300)
        for i in range(count)
    ]
    return [
        ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])]
        )
        for span in spans
    ]


def varint(number: int) -> bytes:
    *high, last = (number >> shift & 0x7F for shift in range(0, 35, 7))
    return bytes((*(group | 0x80 for group in high), last))


def write_pb(path: Path, count: int) -> Path:
    file = BytesIO()
    for message in messages(count):
        serialize_length_prefixed(message, file)
    path.write_bytes(file.getvalue())
    return path


def json_line(message: ExportTraceServiceRequest) -> str:
    document = MessageToDict(message)
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["traceId"] = message.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    span["spanId"] = "00" * 8
    return json.dumps(document)


def test_captures_of_real_exporters_are_read() -> None:
    """The captures hold as many requests and spans as their README says."""
    requests = list(read(CAPTURES / "official-openai.traces.pb"))
    assert len(requests) == 10
    assert sum(check_request(request).spans for request in requests) == 11


def test_pb_round_trip(tmp_path: Path) -> None:
    """Length-delimited requests come out as the bytes that went in."""
    path = write_pb(tmp_path / "a.pb", 3)
    assert list(read(path)) == [m.SerializeToString() for m in messages(3)]


def test_json_lines_become_protobuf(tmp_path: Path) -> None:
    """A line of OTLP's JSON comes out as its protobuf; blank lines are nothing."""
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*(json_line(m) for m in messages(2)), "", ""]))
    read_back = [ExportTraceServiceRequest.FromString(one) for one in read(path)]
    assert read_back == messages(2)


@pytest.mark.parametrize("name", ["a.pb", "a.jsonl"])
def test_empty_file_has_no_requests(tmp_path: Path, name: str) -> None:
    """An empty file is not an error: there is nothing in it."""
    path = tmp_path / name
    path.touch()
    assert list(read(path)) == []


@pytest.mark.parametrize("cut", [1, 2, 5, 300])
def test_torn_pb_says_where(tmp_path: Path, cut: int) -> None:
    """Of a file that was cut, the whole requests are read, then the place is named."""
    path = write_pb(tmp_path / "torn.pb", 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    third = 2 * len(whole) // 3
    requests = read(path)
    assert len([next(requests), next(requests)]) == 2
    with pytest.raises(BadPayload, match=rf"torn\.pb: byte {third}: the file ends"):
        next(requests)


def test_torn_length_says_where(tmp_path: Path) -> None:
    """A file that ends within a length is torn, too."""
    path = tmp_path / "torn.pb"
    path.write_bytes(b"\xac")
    with pytest.raises(BadPayload, match="byte 0: the file ends within a length"):
        list(read(path))


def test_foreign_pb_is_refused(tmp_path: Path) -> None:
    """A file of another kind is refused before its 'length' is read into memory."""
    path = tmp_path / "picture.pb"
    path.write_bytes(varint(MAX_REQUEST_BYTES + 1) + b"JFIF")
    with pytest.raises(
        BadPayload, match=r"picture\.pb: byte 0: a request of \d+ bytes"
    ):
        list(read(path))


def test_other_message_in_pb_is_refused(tmp_path: Path) -> None:
    """Delimited bytes that are no request are named with their place."""
    path = tmp_path / "other.pb"
    path.write_bytes(b"\x03abc")
    with pytest.raises(BadPayload, match="byte 0: this is not an OTLP"):
        list(read(path))


def test_bad_line_is_named(tmp_path: Path) -> None:
    """A line that is no OTLP JSON is named by file and number, and what is wrong."""
    path = tmp_path / "bad.jsonl"
    [good] = messages(1)
    path.write_text(json_line(good) + "\n{not json}\n")
    requests = read(path)
    next(requests)
    with pytest.raises(BadPayload, match=r"bad\.jsonl: line 2: .*JSON"):
        next(requests)


def test_unknown_ending_is_named(tmp_path: Path) -> None:
    """A file whose ending is not known is refused, saying which are."""
    with pytest.raises(BadPayload, match=r"\.pb or \.jsonl"):
        list(read(tmp_path / "a.csv"))


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(
    tmp_path_factory: pytest.TempPathFactory, b: bytes
) -> None:
    """Whatever is in a file, it is read or refused with BadPayload."""
    for name in ("any.pb", "any.jsonl"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(b)
        try:
            list(read(path))
        except BadPayload as error:
            assert name in str(error)  # noqa: PT017 - either outcome is right
