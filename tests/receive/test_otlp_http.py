"""OTLP/HTTP: what is answered to what, over a real server."""

from __future__ import annotations

import gzip
import json
import threading
import zlib

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from prometheus_client import CollectorRegistry

from farthing.collector.receive.intake import Intake
from farthing.collector.receive.meters import ReceiveMeters
from farthing.collector.receive.otlp import check_request
from farthing.collector.receive.otlp_http import OtlpHttp
from farthing.collector.receive.settings import Limits
from tests.receive.running import (
    KIB,
    TRACES_JSON,
    TRACES_PROTOBUF,
    ListSpool,
    Running,
    bearer,
    captured,
    running,
    status_of,
)
from tests.receive.test_bodies import bare_deflate

BODY = captured("official-openai")[0]
ONE_SPAN = b"\x0a\x04\x12\x02\x12\x00"
IDS = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
JSON_BODY = json.dumps(
    {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "chat", **IDS}]}]}]}
).encode()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (None, BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("GZIP", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", bare_deflate(BODY)),
    ],
)
def test_protobuf_is_stored(receiver: Running, coding: str | None, body: bytes) -> None:
    """A protobuf request is stored byte for byte and answered in protobuf."""
    headers = TRACES_PROTOBUF if coding is None else {"content-encoding": coding}
    answer = receiver.post(body, {**TRACES_PROTOBUF, **headers})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    response = ExportTraceServiceResponse.FromString(answer.body)
    assert not response.HasField("partial_success")
    assert receiver.spool.requests == [BODY]


@pytest.mark.parametrize("is_json", [False, True])
def test_spans_without_valid_ids_are_taken_and_told_of(
    receiver: Running, is_json: bool
) -> None:
    """A span whose id is not valid is stored like any other; the answer rejects none
    and warns."""
    if is_json:
        body = JSON_BODY.replace(b"eee19b7ec3c1b174", b"0000000000000000")
        answer = receiver.post(body, TRACES_JSON)
        partial = json.loads(answer.body)["partialSuccess"]
        assert partial.keys() == {"errorMessage"}
        warning = partial["errorMessage"]
    else:
        answer = receiver.post(ONE_SPAN, TRACES_PROTOBUF)
        response = ExportTraceServiceResponse.FromString(answer.body)
        assert response.partial_success.rejected_spans == 0
        warning = response.partial_success.error_message
    assert answer.status == 200
    assert "16 and 8 bytes, or all zero" in warning
    (stored,) = receiver.spool.requests
    assert check_request(stored).spans == 1


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8"]
)
def test_json_is_stored(receiver: Running, content_type: str) -> None:
    """A JSON request is stored as protobuf and answered in JSON."""
    answer = receiver.post(JSON_BODY, {"content-type": content_type})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {}
    (stored,) = receiver.spool.requests
    request = ExportTraceServiceRequest.FromString(stored)
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "chat"


def test_big_json(receiver: Running) -> None:
    """A JSON request too big to be converted between others arrives all the same."""
    span = {"name": "x" * 400 * KIB}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert receiver.post(json.dumps(body), TRACES_JSON).status == 200
    assert len(receiver.spool.requests[0]) > 400 * KIB


def test_chunked(receiver: Running) -> None:
    """A body without a length, in chunks, is received."""
    pieces = iter([BODY[:10], BODY[10:]])
    assert receiver.post(pieces, TRACES_PROTOBUF).status == 200
    assert receiver.spool.requests == [BODY]


@pytest.mark.parametrize(
    ("body", "headers"), [(b"", TRACES_PROTOBUF), (b"{}", TRACES_JSON)]
)
def test_no_spans(receiver: Running, body: bytes, headers: dict[str, str]) -> None:
    """A request without spans is a success that leaves nothing to store."""
    assert receiver.post(body, headers).status == 200
    assert not receiver.spool.requests


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/v1/metrics", ExportMetricsServiceResponse),
        ("/v1/logs", ExportLogsServiceResponse),
    ],
)
def test_other_signals(receiver: Running, path: str, response: type) -> None:
    """Metrics and logs are answered with success, counted and dropped unread."""
    signal = path.rpartition("/")[2]
    labels = {"transport": "http", "signal": signal, "outcome": "ignored"}
    before = receiver.metric("requests_total", **labels)
    in_protobuf = receiver.request("POST", path, b"anything", TRACES_PROTOBUF)
    assert in_protobuf.status == 200
    assert response.FromString(in_protobuf.body) == response()  # type: ignore[attr-defined]
    in_json = receiver.request("POST", path, b"anything", TRACES_JSON)
    assert (in_json.status, in_json.body) == (200, b"{}")
    assert not receiver.spool.requests
    assert receiver.metric("requests_total", **labels) == before + 2


@pytest.mark.parametrize(
    ("body", "headers", "says"),
    [
        (BODY[:-1], TRACES_PROTOBUF, "not an ExportTraceServiceRequest"),
        (JSON_BODY, TRACES_PROTOBUF, "not an ExportTraceServiceRequest"),
        (BODY, TRACES_JSON, "not JSON"),
        (b'{"resourceSpans": 1}', TRACES_JSON, "resourceSpans: expected an array"),
        (
            BODY,
            {**TRACES_PROTOBUF, "content-encoding": "gzip"},
            "not valid gzip",
        ),
        (
            gzip.compress(BODY)[:-1],
            {**TRACES_PROTOBUF, "content-encoding": "gzip"},
            "ends before",
        ),
    ],
)
def test_malformed(
    receiver: Running, body: bytes, headers: dict[str, str], says: str
) -> None:
    """What cannot be read is 400, and the Status in the body says why."""
    answer = receiver.post(body, headers)
    assert answer.status == 400
    assert answer.headers["content-type"] == headers["content-type"]
    assert says in status_of(answer).message
    assert status_of(answer).code == 3
    assert not receiver.spool.requests


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "extra"),
    [
        ("POST", "/v1/trace", TRACES_PROTOBUF, 404, {}),
        ("GET", "/", {}, 404, {}),
        ("GET", "/v1/traces", {}, 405, {"allow": "POST"}),
        ("POST", "/healthz", {}, 405, {"allow": "GET, HEAD"}),
        ("POST", "/v1/traces", {}, 415, {}),
        ("POST", "/v1/traces", {"content-type": "text/plain"}, 415, {}),
        (
            "POST",
            "/v1/traces",
            {**TRACES_PROTOBUF, "content-encoding": "zstd"},
            415,
            {"accept-encoding": "gzip, deflate, identity"},
        ),
    ],
)
def test_wrong_address_or_form(
    receiver: Running,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    extra: dict[str, str],
) -> None:
    """Wrong paths, methods, types and encodings are told what would be right."""
    answer = receiver.request(method, path, BODY, headers)
    assert answer.status == status
    assert status_of(answer).message
    assert {name: answer.headers[name] for name in extra} == extra
    assert not receiver.spool.requests


def test_upgrade(receiver: Running) -> None:
    """A sender that would rather speak HTTP/2 is told that it cannot."""
    headers = {**TRACES_PROTOBUF, "connection": "upgrade", "upgrade": "h2c"}
    answer = receiver.post(BODY, headers)
    assert answer.status == 400
    assert "plain HTTP/1.1" in status_of(answer).message
    assert receiver.request("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    "authorization", [None, "Bearer wrong", "Bearer s3cret2", "Basic s3cret", "s3cret"]
)
def test_unauthorized(strict: Running, authorization: str | None) -> None:
    """Without the token: 401, and nothing is stored."""
    headers = {"authorization": authorization} if authorization else {}
    answer = strict.post(BODY, {**TRACES_PROTOBUF, **headers})
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="farthing"'
    assert "OTEL_EXPORTER_OTLP_HEADERS" in status_of(answer).message
    assert not strict.spool.requests


def test_authorized(strict: Running) -> None:
    """With the token the request is stored; the scheme's case does not matter."""
    for scheme in ("Bearer", "bearer"):
        headers = {**TRACES_PROTOBUF, "authorization": f"{scheme} s3cret"}
        assert strict.post(BODY, headers).status == 200
        assert strict.spool.requests.pop() == BODY


def test_pages_and_the_token(strict: Running) -> None:
    """Probes need no token; the metrics do."""
    assert strict.request("GET", "/healthz").status == 200
    assert strict.request("GET", "/readyz").status == 200
    assert strict.request("GET", "/metrics").status == 401
    assert strict.request("GET", "/metrics", None, bearer({})).status == 200


def test_backpressure(receiver: Running) -> None:
    """A full spool is 503 with Retry-After; the next attempt is stored once."""
    receiver.spool.refuse(1, retry_after_s=2)
    answer = receiver.post(BODY, TRACES_PROTOBUF)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "2"
    assert status_of(answer).message == "the spool is full"
    assert status_of(answer).code == 14
    assert receiver.post(BODY, TRACES_PROTOBUF).status == 200
    assert receiver.spool.requests == [BODY]


def test_long_waits_are_cut(receiver: Running) -> None:
    """Told to wait longer than exporters have time, they would drop their data."""
    receiver.spool.refuse(1, retry_after_s=60)
    assert receiver.post(BODY, TRACES_PROTOBUF).headers["retry-after"] == "3"


def test_unexpected_failure(
    receiver: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw is logged, and the sender keeps its data."""
    receiver.spool.refusals = [OSError("disk on fire")]
    answer = receiver.post(BODY, TRACES_PROTOBUF)
    assert answer.status == 503
    assert "retry-after" in answer.headers
    assert "disk on fire" not in status_of(answer).message
    assert "disk on fire" in caplog.text


def test_keep_alive(receiver: Running) -> None:
    """A connection survives a refusal whose body was read to its end."""
    connection = receiver.connect()
    try:
        for body, status in ((b"\xff", 400), (BODY, 200)):
            connection.request("POST", "/v1/traces", body, TRACES_PROTOBUF)
            response = connection.getresponse()
            response.read()
            assert response.status == status
    finally:
        connection.close()


async def test_disconnect() -> None:
    """A sender that goes away in mid-request is counted, and nothing is stored."""
    registry, spool = CollectorRegistry(), ListSpool()
    meters = ReceiveMeters.register(registry)
    app = OtlpHttp(
        Intake(spool, meters, max_in_flight_bytes=KIB),
        meters=meters,
        limits=Limits(),
        token=None,
        registry=registry,
        why_not_ready=lambda: None,
    )
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"\x0a", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/x-protobuf"), (b"content-length", b"9")]
    scope = {"path": "/v1/traces", "method": "POST", "headers": headers}
    await app(scope, receive, send)
    assert not sent
    assert not spool.requests
    labels = {"transport": "http", "signal": "traces", "outcome": "disconnected"}
    assert registry.get_sample_value("farthing_receive_requests_total", labels) == 1
    assert registry.get_sample_value("farthing_receive_in_flight_bytes") == 0


def test_ready(receiver: Running) -> None:
    """Readiness is the collector's to say, and says why not; health is not asked."""
    assert receiver.request("GET", "/readyz").status == 200
    receiver.not_ready.append("the ledger is not open yet")
    answer = receiver.request("GET", "/readyz")
    assert answer.status == 503
    assert status_of(answer).message == "the ledger is not open yet"
    assert receiver.request("GET", "/healthz").status == 200
    assert receiver.request("HEAD", "/healthz").status == 200


def test_metrics(receiver: Running) -> None:
    """The receiver counts requests, spans and bytes."""
    spans = receiver.metric("spans_total")
    wire_bytes = receiver.metric("http_wire_bytes_total")
    request_bytes = receiver.metric("request_bytes_total", transport="http")
    acks = receiver.metric("ack_seconds_count", transport="http")
    body = gzip.compress(BODY)
    receiver.post(body, {**TRACES_PROTOBUF, "content-encoding": "gzip"})
    assert receiver.metric("spans_total") == spans + 1
    assert receiver.metric("http_wire_bytes_total") == wire_bytes + len(body)
    assert receiver.metric("request_bytes_total", transport="http") == (
        request_bytes + len(BODY)
    )
    assert receiver.metric("ack_seconds_count", transport="http") == acks + 1
    page = receiver.request("GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert b'transport="http",signal="traces"' in page.body or (
        b'signal="traces",transport="http"' in page.body
    )


def test_a_question_that_takes_long_holds_up_no_other_sender() -> None:
    """What is answered beside OTLP is answered in a thread."""
    asked, go_on = threading.Event(), threading.Event()

    def answer(question: bytes) -> bytes:
        asked.set()
        assert go_on.wait(10)
        return question

    with running(answers={"/v1/slow": answer}) as receiver:
        found: list[bytes] = []
        slow = threading.Thread(
            target=lambda: found.append(
                receiver.request("POST", "/v1/slow", b"{}").body
            )
        )
        slow.start()
        assert asked.wait(10)
        assert receiver.post(BODY, TRACES_PROTOBUF).status == 200
        go_on.set()
        slow.join(10)
        assert found == [b"{}"]
