"""Agents as processes of their own, under `opentelemetry-instrument`, and their end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farthing import semconv
from farthing.instrumentation.settings import DEFAULTS
from tests.instrumentation.sink import (
    BIN,
    Sink,
    agent,
    environment,
    instrumented,
    sink,
)

WAYS = str(Path(__file__).with_name("ways.py"))
SPAN = "from opentelemetry import trace; trace.get_tracer('t').start_span('{}').end()\n"
TAGS = (
    semconv.TASK_TYPE,
    semconv.TASK_ID,
    semconv.STEP_NAME,
    semconv.BUSINESS_UNIT,
    semconv.USER,
)


@pytest.fixture(scope="module")
def ways() -> Iterator[Sink]:
    """What an agent sent that hands work on in every way, its children's included."""
    with sink() as found:
        ended = instrumented(
            found.url, sys.executable, WAYS, FARTHING_BUSINESS_UNIT="platform"
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        yield found


@pytest.mark.parametrize(
    "way",
    [
        "here",
        "task",
        "to_thread",
        "executor",
        "thread",
        "thread, own run",
        "timer",
        "pool",
        "child",
        "asyncio child",
        "fork",
        "fork, own run",
        "spawn",
        "process pool",
    ],
)
def test_work_that_is_handed_on_keeps_its_tags(ways: Sink, way: str) -> None:
    """Tags of code and environment reach every task, thread, pool and child process,
    which belong to the same trace, and no span is lost as a child ends."""
    found, root = ways.named(way), ways.named("root")
    assert [found[tag] for tag in TAGS] == [
        "review",
        "run-1",
        "plan",
        "platform",
        "bob",
    ]
    assert (found.trace_id, found.parent_id) == (root.trace_id, root.span_id)


def test_tags_end_with_their_block(ways: Sink) -> None:
    """What follows a task has the environment's tags, and a trace of its own."""
    after = ways.named("after")
    assert [after[tag] for tag in TAGS] == ["", "", "", "platform", ""]
    assert after.trace_id != ways.named("root").trace_id


LOOK = """
import json, os, sys, threading
watched = ("openai", "anthropic", "langchain_core", "opentelemetry.util.genai",
    "farthing.instrumentation.observing", "farthing.instrumentation.guard",
    "pydantic", "grpc")
loaded = [name for name in watched if name in sys.modules]
print(json.dumps({"loaded": loaded, "environ": dict(os.environ)}))
"""


def test_a_process_without_model_calls_loads_nothing_for_them() -> None:
    """Neither SDKs nor their instrumentation nor our own part in it is imported before
    the agent imports an SDK; defaults are set, the user's own values stay, and a wrong
    value is one line that says what is allowed."""
    ended = agent(
        "http://127.0.0.1:9",
        LOOK,
        OTEL_BSP_SCHEDULE_DELAY="250",
        FARTHING_FLUSH_TIMEOUT_SECONDS="soon",
    )
    found = json.loads(ended.stdout)
    assert found["loaded"] == []
    expected = {**DEFAULTS, "OTEL_BSP_SCHEDULE_DELAY": "250"}
    assert expected.items() <= found["environ"].items()
    assert ended.stderr == (
        "farthing: FARTHING_FLUSH_TIMEOUT_SECONDS must be a number of seconds from 0 to"
        " 60, not 'soon'; it is ignored\n"
    )


def test_a_disabled_sdk_is_left_alone() -> None:
    """With OTEL_SDK_DISABLED nothing of ours is wrapped."""
    code = "import threading; print(threading.Thread.start.__class__.__name__)"
    ended = agent("http://127.0.0.1:9", code, OTEL_SDK_DISABLED="true")
    assert (ended.stdout, ended.stderr) == ("function\n", "")


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        ("", -signal.SIGTERM),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))", 3),
    ],
)
def test_sigterm_loses_no_span(handler: str, code: int) -> None:
    """A span that waits is sent when SIGTERM ends the agent, which ends as it would
    without us; where the agent handles SIGTERM itself, its own handler is called."""
    wait = "import signal, sys, time\n{}\nprint('ready', flush=True)\ntime.sleep(60)"
    with sink() as found:
        process = subprocess.Popen(
            [
                str(BIN / "opentelemetry-instrument"),
                sys.executable,
                "-c",
                SPAN.format("waits") + wait.format(handler),
            ],
            env=environment(found.url, OTEL_BSP_SCHEDULE_DELAY="60000"),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == code
        assert found.named("waits")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A collector that takes connections and answers each with `answer`; never, where
    that is empty."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            taken.append(connection)
            if answer:
                connection.recv(65536)
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in taken:
            connection.close()


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 500 x\r\n\r\n", None]
)
def test_a_bad_collector_holds_no_agent_up(answer: bytes | None) -> None:
    """An agent whose collector hangs, answers nonsense, fails or is away does its work
    and ends well, after the time that is allowed for the rest of its spans."""
    with answering(answer or b"") as url:
        ended = agent(
            "http://127.0.0.1:9" if answer is None else url,
            SPAN.format("lost") + "print('worked')",
            FARTHING_FLUSH_TIMEOUT_SECONDS="0.2",
        )
    assert (ended.returncode, ended.stdout) == (0, "worked\n")
    assert "FARTHING_FLUSH_TIMEOUT_SECONDS" in ended.stderr or answer is not None
    assert "Traceback" not in ended.stderr


def announce(folder: Path, package: str, name: str, code: str) -> None:
    """Put a package into `folder` that announces the instrumentor `name`."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[opentelemetry_instrumentor]\n{name} = {module}:Instrumentor\n"
    )


INSTRUMENTOR = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return []
    def _instrument(self, **kwargs):
        {}
    def _uninstrument(self, **kwargs):
        pass
"""
ASK = """
import openai
from tests.instrumentation.broken import ask
assert ask() == "four"
"""


def test_instrumentors_are_loaded_in_isolation_and_once_per_library(
    tmp_path: Path,
) -> None:
    """An instrumentor that raises is named in one line and stops no other; of two that
    are there for one library the official one is used, which is said, and each call is
    one span."""
    boom = INSTRUMENTOR.format('raise RuntimeError("boom")')
    works = INSTRUMENTOR.format('print("loaded")')
    announce(tmp_path, "aaa-fails", "aaa", boom)
    announce(tmp_path, "aaa-exits", "aab", "raise SyntaxError('odd')\n")
    announce(tmp_path, "zzz-works", "zzz", works)
    twin = INSTRUMENTOR.format('print("twin loaded")')
    announce(tmp_path, "openinference-instrumentation-openai", "openai", twin)
    root = Path(__file__).parents[2]
    with sink() as found:
        ended = agent(found.url, ASK, PYTHONPATH=f"{tmp_path}:{root}")
    assert (ended.returncode, ended.stdout) == (0, "loaded\n"), ended.stderr
    fails, odd, left_out = sorted(ended.stderr.splitlines())
    assert "cannot load aaa of aaa-fails (RuntimeError: boom)" in fails
    assert "cannot load aab of aaa-exits (SyntaxError: odd)" in odd
    assert "openai is instrumented by opentelemetry-instrumentation-genai" in left_out
    assert "openinference-instrumentation-openai is left out" in left_out
    assert found.named("chat gpt-5")[semconv.TASK_ID]


def test_a_library_can_be_disabled() -> None:
    """What OTEL_PYTHON_DISABLED_INSTRUMENTATIONS names is neither instrumented nor
    watched."""
    root = str(Path(__file__).parents[2])
    with sink() as found:
        agent(
            found.url,
            ASK + SPAN.format("sent"),
            PYTHONPATH=root,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai",
        )
    assert [span.name for span in found.spans] == ["sent"]
