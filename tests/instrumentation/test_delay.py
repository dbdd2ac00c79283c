"""What only the first span needs is put off until it may come."""

from __future__ import annotations

import signal

import pytest

from tests.instrumentation.sink import agent, sink

SPAN = "trace.get_tracer('mine').start_span('by hand').end()"
LOADED = "print('opentelemetry.sdk.trace' in sys.modules, 'requests' in sys.modules)"


def test_a_process_without_spans_loads_no_sdk() -> None:
    """Nor does it load an exporter or the detector, whatever it imports besides."""
    code = f"import json, subprocess, sys, threading\n{LOADED}"
    with sink() as collector:
        ended = agent(collector.url, code)
    assert (ended.stdout, ended.stderr) == ("False False\n", "")


WAYS = {
    "asks": f"from opentelemetry import trace\n{SPAN}",
    "imports metrics": f"""
import opentelemetry.metrics
from opentelemetry import trace
{SPAN}
""",
    "imports the SDK": f"""
import opentelemetry.sdk.trace
from opentelemetry import trace
{SPAN}
""",
    "asks for the provider": """
from opentelemetry.trace import get_tracer_provider
get_tracer_provider().get_tracer('mine').start_span('by hand').end()
""",
    "asks for the logs first": f"""
from opentelemetry._logs import get_logger_provider
get_logger_provider().add_log_record_processor
from opentelemetry import trace
{SPAN}
""",
    "in a thread": f"""
import threading
from opentelemetry import trace
def work(): {SPAN}
thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
    "in a forked child": f"""
import os
from opentelemetry import trace
if os.fork() == 0:
    {SPAN}
else:
    os.wait()
""",
    "as it ends": """
import atexit
from opentelemetry import trace
tracer = trace.get_tracer('mine')
atexit.register(lambda: tracer.start_span('by hand').end())
""",
    "by an outcome": """
from farthing.instrumentation import outcome, task
with task('t'):
    outcome('by hand')
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_first_span_is_not_lost(way: str) -> None:
    """However a process comes to its first tracer, its span arrives with its tags."""
    with sink() as collector:
        ended = agent(collector.url, WAYS[way], FARTHING_TEAM="search")
    assert (ended.returncode, ended.stderr) == (0, "")
    [span] = collector.spans
    assert span.name.endswith("by hand")
    assert span["farthing.team"] == "search"


def test_first_spans_that_threads_begin_at_once_all_arrive() -> None:
    """Who asks while another thread sets the SDK up waits until it is there."""
    code = """
import threading
from opentelemetry import trace
begin = threading.Barrier(4)
def work():
    begin.wait()
    trace.get_tracer('mine').start_span('by hand').end()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    with sink() as collector:
        ended = agent(collector.url, code)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(collector.spans) == 4


def test_a_provider_that_comes_later_does_not_replace_ours() -> None:
    """As with an early start, OpenTelemetry refuses another provider: ours tells."""
    code = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        f"trace.set_tracer_provider(TracerProvider())\n{SPAN}"
    )
    with sink() as collector:
        ended = agent(collector.url, code)
    assert "Overriding of current TracerProvider is not allowed" in ended.stderr
    assert [span.name for span in collector.spans] == ["by hand"]


def test_sigterm_sends_what_a_thread_began() -> None:
    """A signal's handler is the main thread's to set, wherever the first span comes."""
    code = f"{WAYS['in a thread']}import signal\nsignal.raise_signal(signal.SIGTERM)"
    with sink() as collector:
        ended = agent(collector.url, code)
    assert ended.returncode == -signal.SIGTERM
    assert [span.name for span in collector.spans] == ["by hand"]
