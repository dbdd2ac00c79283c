"""OTLP/HTTP: what a request may cost, over a real server."""

from __future__ import annotations

import gzip
import socket
import zlib
from contextlib import AbstractContextManager

import pytest

from farthing.collector.receive.settings import Limits, ReceiveSettings
from tests.receive.running import (
    KIB,
    TRACES_PROTOBUF,
    Running,
    bearer,
    captured,
    running,
    status_of,
)
from tests.receive.test_bodies import bomb

BODY = captured("official-openai")[0]


def test_other_signals_have_limits(strict: Running) -> None:
    """What is dropped unread may not be endless either."""
    for body in (bytes(65 * KIB), iter([bytes(65 * KIB)])):
        answer = strict.request("POST", "/v1/logs", body, bearer(TRACES_PROTOBUF))
        assert answer.status == 413


@pytest.mark.parametrize(
    ("body", "coding", "says"),
    [
        (bytes(65 * KIB), {}, "65536 bytes"),
        (iter([bytes(40 * KIB)] * 2), {}, "65536 bytes"),
        (bytes(9 * KIB), {"content-encoding": "gzip"}, "8192"),
        (
            iter([gzip.compress(b"", mtime=0)[:-8], bytes(9 * KIB)]),
            {"content-encoding": "gzip"},
            "8192 compressed bytes",
        ),
        (
            gzip.compress(bytes(65 * KIB), mtime=0),  # one name on all workers
            {"content-encoding": "gzip"},
            "65536 decompressed bytes",
        ),
        (
            zlib.compress(bytes(65 * KIB)),
            {"content-encoding": "deflate"},
            "65536 decompressed bytes",
        ),
    ],
)
def test_too_large(
    strict: Running, body: object, coding: dict[str, str], says: str
) -> None:
    """Above a limit, before or after decompression: 413, and which limit it was."""
    answer = strict.post(body, bearer({**TRACES_PROTOBUF, **coding}))
    assert answer.status == 413
    assert says in status_of(answer).message
    assert status_of(answer).code == 8
    assert not strict.spool.requests


def test_refusal_reaches_a_sender_that_is_still_sending(receiver: Running) -> None:
    """A sender that writes all before it reads still sees the 413."""
    answer = receiver.post(bytes(64 << 20), TRACES_PROTOBUF)
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


def test_bomb(receiver: Running) -> None:
    """A gigabyte in a megabyte is refused."""
    headers = {**TRACES_PROTOBUF, "content-encoding": "gzip"}
    assert receiver.post(bomb(1 << 30), headers).status == 413


def test_memory_budget() -> None:
    """When requests in flight hold all the memory they may, the next must wait."""
    limits = Limits(max_bytes=len(BODY), max_in_flight_bytes=len(BODY))
    narrow = ReceiveSettings(http_port=0, grpc_port=0, limits=limits)
    with running(narrow) as receiver, receiver.blocked() as first:
        first.post(BODY, TRACES_PROTOBUF)
        answer = receiver.post(BODY, TRACES_PROTOBUF)
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert receiver.metric("in_flight_bytes") == len(BODY)
        assert first.release().status == 200
        assert receiver.metric("in_flight_bytes") == 0


def test_expect_continue(strict: Running) -> None:
    """A sender that asks first is refused before it sends its body."""
    with dialled(strict) as peer:
        peer.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
            b"content-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n"
        )
        assert peer.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_slow_body() -> None:
    """A body that does not arrive in time is 408."""
    with hurried(body_timeout_s=0.05) as receiver, dialled(receiver) as peer:
        peer.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n"
            b"content-type: application/json\r\ncontent-length: 9\r\n\r\n{"
        )
        assert peer.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"", b"POST /v1/tr"])
def test_slow_head(begun: bytes) -> None:
    """A connection that does not finish its headers in time is closed."""
    with hurried(header_timeout_s=0.05) as receiver, dialled(receiver) as peer:
        peer.sendall(begun)
        assert peer.recv(4096) == b""


def hurried(**limits: float) -> AbstractContextManager[Running]:
    settings = ReceiveSettings(
        http_port=0,
        grpc_port=0,
        limits=Limits(**limits),  # type: ignore[arg-type]
    )
    return running(settings)


def dialled(receiver: Running) -> socket.socket:
    address = ("127.0.0.1", receiver.endpoints.http_port)
    return socket.create_connection(address, timeout=30)


def test_large_head(strict: Running) -> None:
    """Headers without end are refused."""
    with dialled(strict) as peer:
        peer.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: " + b"x" * 9 * KIB)
        assert peer.recv(4096).startswith(b"HTTP/1.1 400 ")
