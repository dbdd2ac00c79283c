"""What `send` does with each kind of receiver, over real loopback connections."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from farthing.collector.replay.send import Sent, send
from farthing.errors import BadPayload, ConfigError, Overloaded


@dataclass
class Answers:
    """A receiver that gives these answers in turn, then 200s; it keeps what it got."""

    scripted: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.connections.add(handler.client_address)
            self.headers.append({k.lower(): v for k, v in handler.headers.items()})
            self.paths.append(handler.path)
            status, headers, answer = (
                self.scripted.pop(0) if self.scripted else (200, {}, b"")
            )
            if status == 200:
                self.bodies.append(gzip.decompress(body))
            return status, headers, answer


@contextmanager
def receiver(answers: Answers) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = answers.answer(self, body)
            if status == 0:  # a receiver that dies instead of answering
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def request(number: int, *, spans: int = 3) -> bytes:
    made = [Span(name=f"{number}.{i}", span_id=b"12345678") for i in range(spans)]
    scopes = [ScopeSpans(spans=made)]
    message = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=scopes)]
    )
    return message.SerializeToString()


REQUESTS = [request(number) for number in range(40)]


def test_every_request_arrives_once() -> None:
    """All requests arrive, each once, gzipped, over a few connections kept open."""
    answers = Answers()
    with receiver(answers) as url:
        sent = send(REQUESTS, url)
    assert sent == Sent(spans=120, requests=40)
    assert sorted(answers.bodies) == sorted(REQUESTS)
    assert len(answers.connections) <= 4
    assert {h["content-type"] for h in answers.headers} == {"application/x-protobuf"}
    assert set(answers.paths) == {"/v1/traces"}


def test_progress_counts_up_to_the_end() -> None:
    """Progress is told after each acknowledgement, and its last word is the result."""
    seen: list[Sent] = []
    with receiver(Answers()) as url:
        sent = send(REQUESTS, url, progress=seen.append)
    assert [one.requests for one in seen] == list(range(1, 41))
    assert seen[-1] == sent


def test_full_path_and_token_are_used() -> None:
    """A URL may name the traces path itself; the token goes out as a bearer token."""
    answers = Answers()
    with receiver(answers) as url:
        send(REQUESTS[:1], f"{url}/tenant/v1/traces", token="hunter2")
    assert answers.paths == ["/tenant/v1/traces"]
    assert answers.headers[0]["authorization"] == "Bearer hunter2"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_receiver_is_asked_again(status: int) -> None:
    """A busy receiver gets the same request again, after the time it asks for."""
    answers = Answers([(status, {"Retry-After": "7"}, b"")])
    waits: list[float] = []
    with receiver(answers) as url:
        sent = send(REQUESTS[:1], url, wait=waits.append)
    assert sent.requests == 1
    assert answers.bodies == REQUESTS[:1]
    assert waits == [7.0]


def test_broken_connection_is_made_again() -> None:
    """A connection that breaks before the answer is made again, the request resent."""
    answers = Answers([(0, {}, b"")])
    waits: list[float] = []
    with receiver(answers) as url:
        send(REQUESTS[:1], url, wait=waits.append)
    assert answers.bodies == REQUESTS[:1]
    assert len(waits) == 1


def test_patience_ends() -> None:
    """A receiver that stays busy ends in Overloaded; the waits grow and are bounded."""
    answers = Answers([(503, {}, b"")] * 100)
    waits: list[float] = []
    with receiver(answers) as url, pytest.raises(Overloaded, match="503"):
        send(REQUESTS[:1], url, wait=waits.append, patience_s=10)
    assert waits == sorted(waits)
    assert 5 < sum(waits) <= 10


def test_a_date_in_retry_after_is_not_an_endless_wait() -> None:
    """A Retry-After that is no number of seconds falls back to our own backoff."""
    date = "Wed, 21 Oct 2099 07:28:00 GMT"
    waits: list[float] = []
    with receiver(Answers([(429, {"Retry-After": date}, b"")])) as url:
        send(REQUESTS[:1], url, wait=waits.append)
    assert waits == [0.1]


def test_refused_request_says_why() -> None:
    """A 400 ends the sending with the receiver's own words, and nothing is retried."""
    body = Status(code=3, message="the body is not a request").SerializeToString()
    answers = Answers([(400, {}, body)])
    with (
        receiver(answers) as url,
        pytest.raises(BadPayload, match="400: the body is not a request"),
    ):
        send(REQUESTS[:1], url)
    assert len(answers.paths) == 1


@pytest.mark.parametrize(("status", "says"), [(401, "token"), (404, "not an OTLP")])
def test_wrong_receiver_is_the_operators_to_fix(status: int, says: str) -> None:
    """A wrong token or a server that is no receiver is an error of configuration."""
    with (
        receiver(Answers([(status, {}, b"")])) as url,
        pytest.raises(ConfigError) as no,
    ):
        send(REQUESTS[:1], url)
    assert says in str(no.value)


def test_nobody_there_is_said_at_once() -> None:
    """Where nothing listens, the sender does not wait for it."""
    waits: list[float] = []
    with receiver(Answers()) as url:
        pass
    with pytest.raises(ConfigError, match="farthing up"):
        send(REQUESTS, url, wait=waits.append)
    assert waits == []


def test_the_port_of_grpc_is_said_at_once() -> None:
    """An answer that is not HTTP's is not waited for to change, and none of it is
    shown. (A server that closes before the body is sent is asked once more.)"""
    waits: list[float] = []
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(ConfigError, match=r"OTLP/HTTP.*:4318") as no:
            send(REQUESTS, f"http://127.0.0.1:{port}", wait=waits.append)
    finally:
        server.stop(None)
    assert sum(waits) < 1
    assert str(no.value).isprintable()


def test_control_characters_of_a_refusal_are_not_shown() -> None:
    """What a receiver says goes to a terminal: only what can be printed is kept."""
    answers = Answers([(400, {}, b"\x1b[2Jno\x00pe")])
    with receiver(answers) as url, pytest.raises(BadPayload) as no:
        send(REQUESTS[:1], url)
    assert str(no.value).endswith("400: [2Jnope")


@pytest.mark.parametrize("url", ["localhost:4318", "ftp://localhost", "http://"])
def test_url_that_is_none(url: str) -> None:
    """What is not an HTTP address is refused with an example of one."""
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:4318"):
        send(REQUESTS, url)


def test_partial_success_is_counted() -> None:
    """Spans that the receiver rejects within an accepted request are counted."""
    partial = ExportTracePartialSuccess(rejected_spans=2)
    body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    with receiver(Answers([(200, {}, body)])) as url:
        sent = send(REQUESTS[:2], url)
    assert sent == Sent(spans=6, requests=2, rejected_spans=2)


def test_source_that_fails_ends_the_sending() -> None:
    """An error of the source, such as a torn file, ends the sending and is raised."""

    def torn() -> Iterator[bytes]:
        yield REQUESTS[0]
        raise BadPayload("torn")

    answers = Answers()
    with receiver(answers) as url, pytest.raises(BadPayload, match="torn"):
        send(torn(), url)
    assert len(answers.bodies) <= 1
