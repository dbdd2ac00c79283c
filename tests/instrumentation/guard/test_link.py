"""What the guard hears from a collector, or from whatever is at its address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from farthing.economics.leases import Report, Use
from farthing.instrumentation.guard.link import Asking, CollectorAway
from tests.instrumentation.guard.test_shared import KEY, sharing, spend


@contextmanager
def answering(reply: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on the loopback that replies so to every POST; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/budgets"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(status: int, body: bytes, **headers: str) -> Callable[[Any], None]:
    """A reply."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


NONSENSE = [
    (200, b"<html>"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"applies": [{"budgets": ["x"], "stops": []}], "leases": {}}'),
    (200, b'{"applies": [], "leases": {"x": {"limit": "much"}}}'),
    (200, b"[" * 100_000),
    (503, b"not known yet"),
    (401, b"no"),
]


@pytest.mark.parametrize(("status", "body"), NONSENSE)
def test_nonsense_is_no_answer(status: int, body: bytes) -> None:
    """An agent goes on: nobody knows what is left."""
    with answering(saying(status, body)) as url:
        worker = sharing(Asking(url, {}))
        assert spend(worker, 5) == 5


def test_a_redirect_does_not_get_the_token() -> None:
    """The header that authorizes is sent to the collector alone."""
    seen: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("authorization", ""))
        saying(200, b"{}")(handler)

    with answering(elsewhere) as other:
        reply = saying(302, b"", location=other)
        with answering(reply) as url:
            ask = Asking(url, {"authorization": "Bearer secret"})
            with pytest.raises(CollectorAway, match="302"):
                ask(Report("p"))
    assert seen == []


def test_a_collector_that_hangs_is_waited_for_once() -> None:
    """The first call waits for an answer, those after it do not."""
    ends = threading.Event()

    def hang(_: object) -> None:
        ends.wait(20)

    with answering(hang) as url:
        worker = sharing(Asking(url, {}))
        assert spend(worker, 200) == 200
        ends.set()


def test_reports_and_answers_of_strangers() -> None:
    """Either side refuses what is not of its form."""
    good = Report("p", [{"team": "growth"}], {KEY: Use(1, 2, 3)}, 7)
    assert Report.from_json(good.to_json()) == good
    for wrong in (
        None,
        {},
        {**good.to_json(), "process": ""},
        {**good.to_json(), "uses": {KEY: {"spent": 1}}},
        {**good.to_json(), "works_for": [{"team": 3}]},
        replace(good, uses={KEY: Use(spent=-1)}).to_json(),
    ):
        with pytest.raises(ValueError, match="must"):
            Report.from_json(wrong)
