"""What queries may take, and that none of them holds up another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.clickhouse_server import clickhouse_server
from tests.web.conftest import Reply, Wire

ENDLESS = (
    "SELECT count() FROM numbers(100000000000000) WHERE NOT ignore(sipHash64(number))"
)


@pytest.fixture(scope="module")
def narrow(ledger_folder: Any, pool: Any, reading: Wire) -> Iterator[Wire]:
    """A server of its own, with room for one query and none waiting."""
    limits = {
        "max_concurrent": 1,
        "max_queued": 0,
        "max_execution_time_s": 2,
        "max_memory_bytes": 50_000_000,
        "max_result_rows": 1000,
        "max_result_bytes": 100_000,
        "max_request_bytes": 10_000,
    }
    folder = ledger_folder.parent / "narrow"
    with clickhouse_server(folder, limits=limits) as server:
        yield Wire(server, pool)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def start(wire: Wire, threads: ThreadPoolExecutor, **params: Any) -> Future[Reply]:
    """Send the endless query and let it run."""
    started = threading.Event()

    def send() -> Reply:
        started.set()
        return wire.send(ENDLESS, **params)

    future = threads.submit(send)
    started.wait()
    return future


def test_a_slow_query_holds_up_nobody(
    reading: Wire, background: ThreadPoolExecutor
) -> None:
    """While one query works, others and the health check are answered."""
    running = "SELECT value FROM system.metrics WHERE metric = 'Query'"
    slow = start(reading, background, max_execution_time=3)
    seen = 0
    while not slow.done() and seen < 20:
        # The metric counts the asking query too.
        if int(reading.value(running)) >= 2:
            assert reading.send(method="GET", path="/ping").body == b"Ok.\n"
            seen += not slow.done()
    assert seen == 20
    assert slow.result().code == 159


def test_too_many_queries_are_told_to_come_back(
    narrow: Wire, background: ThreadPoolExecutor
) -> None:
    """With all places taken the answer is 503 with code 202, and the health check is
    not concerned."""
    refused = None
    while refused is None:
        slow = start(narrow, background)
        while not slow.done() and refused is None:
            reply = narrow.send("SELECT 1")
            refused = reply if reply.code == 202 else None
    assert refused.status == 503
    assert refused.headers["Retry-After"] == "1"
    assert narrow.send(method="GET", path="/ping").status == 200
    assert slow.result().code == 159
    assert narrow.value("SELECT 1") == "1"


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        (ENDLESS, 159, 408),
        ("SELECT groupArray(number) FROM numbers(100000000)", 241, 500),
        ("SELECT number FROM numbers(1001)", 396, 500),
        ("SELECT repeat('x', number) FROM numbers(1000)", 396, 500),
        # a constant counts once for the engine's own limit
        ("SELECT repeat('x', 1000) FROM numbers(1000)", 396, 500),
        ("SELECT 1 AS " + "a" * 1000 + " FROM numbers(1000) FORMAT JSON", 396, 500),
        ("SELECT number FROM numbers(1001) SETTINGS max_result_rows = 0", 396, 500),
        (
            "SELECT number FROM numbers(1001) SETTINGS max_result_rows = 1000000",
            396,
            500,
        ),
        (f"SELECT '{'x' * 10_000}'", 229, 413),
    ],
)
def test_limits_hold(narrow: Wire, sql: str, code: int, status: int) -> None:
    """Time, memory, rows, bytes and the request's own size."""
    reply = narrow.send(sql)
    assert (reply.code, reply.status) == (code, status), reply.body


@pytest.mark.parametrize("value", ["0", "100000000", "1e300", "nan", "-1"])
def test_limits_cannot_be_raised(narrow: Wire, value: str) -> None:
    """No value of a limit means more than the cap."""
    for name in ("max_result_rows", "max_execution_time", "max_memory_usage"):
        setting: dict[str, Any] = {name: value}
        asked = narrow.send(f"SELECT getSetting('{name}')", **setting)
        capped = narrow.value(f"SELECT getSetting('{name}')")
        assert asked.body.decode().strip() == capped


def test_a_statement_has_a_size(reading: Wire) -> None:
    """The engine parses statements of up to 256 KiB."""
    assert reading.send(f"SELECT length('{'x' * 200_000}')").status == 200
    assert reading.send(f"SELECT length('{'x' * 300_000}')").code == 62


def test_a_statement_may_have_many_parts(reading: Wire) -> None:
    """Its tree is many times as long as its text, and no reason to refuse it."""
    parts = ", ".join(f"('way {n}', {n}, ['a', 'b'], true)" for n in range(3_000))
    assert len(parts) > 90_000
    assert reading.value(f"SELECT length([{parts}])") == "3000"


def test_limits_can_be_lowered(narrow: Wire) -> None:
    """A client may ask for less."""
    assert narrow.send("SELECT number FROM numbers(11)", max_result_rows=10).code == 396
    sql = "SELECT getSetting('max_execution_time')"
    assert narrow.value(sql, max_execution_time="0.5") == "0.5"


def test_the_engine_itself_is_in_readonly_mode(narrow: Wire) -> None:
    """Besides the review of statements, the engine refuses writes by itself."""
    assert narrow.value("SELECT getSetting('readonly')") == "1"
