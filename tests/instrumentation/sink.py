"""A collector on loopback that keeps what agents send, and agents that send to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

BIN = Path(sys.executable).parent
SETTINGS = ("FARTHING_", "OTEL_", "TRACEPARENT", "PYTHONPATH", "ANTHROPIC_", "OPENAI_")


@dataclass(frozen=True)
class Seen:
    """A span, or a log record, as it came over the wire."""

    name: str
    attributes: Mapping[str, str]
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")


@dataclass
class Sink:
    """What was received; `url` is where to send it, `content_type` what is answered."""

    url: str = ""
    content_type: str = "application/x-protobuf"
    spans: list[Seen] = field(default_factory=list)
    logs: list[Seen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/traces":
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        if path == "/v1/logs":
            self.logs += _logs(ExportLogsServiceRequest.FromString(body))

    def named(self, name: str) -> Seen:
        """The only span of that name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{name}: {[span.name for span in self.spans]}"
        return found[0]


def _spans(request: ExportTraceServiceRequest) -> Iterator[Seen]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Seen(
                    span.name,
                    _attributes(span.attributes),
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                )


def _logs(request: ExportLogsServiceRequest) -> Iterator[Seen]:
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield Seen(record.body.string_value, _attributes(record.attributes))


def _attributes(pairs: Sequence) -> dict[str, str]:
    """Every value as text; texts of arrays joined by commas."""
    found = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        value: Any = getattr(pair.value, kind) if kind else ""
        if kind == "array_value":
            value = ",".join(item.string_value for item in value.values)
        found[pair.key] = str(value)
    return found


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink that listens."""
    found = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", found.content_type)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(url: str, **extra: str) -> dict[str, str]:
    """This environment without settings, and the three variables of an agent."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    return {**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": url, **extra}


def instrumented(
    url: str, *command: str, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `command` under `opentelemetry-instrument` to its end."""
    return subprocess.run(
        [str(BIN / "opentelemetry-instrument"), *command],
        env=environment(url, **extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def agent(url: str, code: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run Python code under `opentelemetry-instrument` to its end."""
    return instrumented(url, sys.executable, "-c", code, **extra)
