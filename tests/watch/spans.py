"""Runs of agents as spans with fingerprints, for the tests of the watch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from farthing.collector.demo.tell import Attributes, key_values
from farthing.economics.loops import Step
from farthing.semconv import FINGERPRINT, STEP_FIELDS, TOOL_RESULTS
from tests.economics.loops.telling import called, digest

EPOCH_NS = (int(time.time()) // 86_400 * 86_400 - 35_200) * 10**9
"""14:13:20 UTC of yesterday: a collector forgets what is older than its retention."""
SCOPE = "opentelemetry.instrumentation.genai.openai"


@dataclass(frozen=True)
class Told:
    """A span; times are seconds from the epoch of these tests."""

    run: str
    name: str
    start_s: float
    end_s: float
    attributes: Attributes = field(default_factory=dict)

    @property
    def span_id(self) -> bytes:
        return bytes.fromhex(digest(f"{self.run} {self.name}"))

    def on_wire(self) -> Span:
        own: Attributes = {
            "farthing.task.id": self.run,
            "farthing.task.type": "review",
            "farthing.business_unit": "platform",
            "gen_ai.agent.name": "reviewer",
            **self.attributes,
        }
        span = Span(
            trace_id=bytes.fromhex(2 * digest(self.run)),
            span_id=self.span_id,
            name=self.name,
            start_time_unix_nano=EPOCH_NS + int(self.start_s * 1e9),
            end_time_unix_nano=EPOCH_NS + int(self.end_s * 1e9),
            attributes=key_values(own),
        )
        if "error.type" in self.attributes:
            span.status.code = Status.STATUS_CODE_ERROR
        return span


def request(spans: Iterable[Told]) -> bytes:
    made = ExportTraceServiceRequest()
    of_scope = made.resource_spans.add().scope_spans.add()
    of_scope.scope.name = SCOPE
    of_scope.spans.extend(told.on_wire() for told in spans)
    return made.SerializeToString()


def asked(run: str, name: str, at_s: float, **more: object) -> Told:
    """A model call of four seconds: 1,000 tokens in and 100 out."""
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "gen_ai.response.id": f"chatcmpl-{digest(run + name)}",
        "server.address": "api.openai.com",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        **more,  # type: ignore[dict-item]
    }
    return Told(run, name, at_s, at_s + 4, attributes)


def used(run: str, name: str, at_s: float, step: Step) -> Told:
    """The span of a tool call of a second."""
    attributes: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": step.name,
        "gen_ai.tool.call.id": f"call {run} {name}",
        **{f"{FINGERPRINT}{name}": value for name, value in fingerprints(step).items()},
    }
    if step.error:
        attributes["error.type"] = "ToolError"
    return Told(run, name, at_s, at_s + 1, attributes)


def helped(run: str, name: str, at_s: float) -> Told:
    """A call of another agent, of three seconds."""
    attributes: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "helper",
    }
    return Told(run, name, at_s, at_s + 3, attributes)


def fingerprints(step: Step) -> dict[str, str]:
    """The fields of a tool call as they are on the wire."""
    told = {name: getattr(step, name) for name in STEP_FIELDS}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in told.items()
        if value not in ("", None) and (value or name != "retryable")
    }


def handed(run: str, numbered: Sequence[tuple[str, Step]]) -> Attributes:
    """What a model call says of the tool results that it was handed."""
    fields = ("call_id", "name", *STEP_FIELDS)
    rows = [
        {"call_id": f"call {run} {name}", "name": step.name, **fingerprints(step)}
        for name, step in numbered
    ]
    return {
        f"{TOOL_RESULTS}{field}": tuple(row.get(field, "") for row in rows)
        for field in fields
    }


def run_of(run: str, steps: Iterable[Step], *, start_s: float = 0) -> list[Told]:
    """Each tool call after a model call of its own, ten seconds a turn."""
    told = []
    for n, step in enumerate(steps):
        at_s = start_s + 10 * n
        told.append(asked(run, f"chat {n}", at_s))
        told.append(used(run, f"tool {n}", at_s + 5, step))
    return told


def tools_in_calls(run: str, steps: Sequence[Step]) -> list[Told]:
    """The same where no tool has a span: each model call tells of the result before."""
    told = []
    for n in range(len(steps) + 1):
        more = handed(run, [(f"tool {n - 1}", steps[n - 1])]) if n else {}
        told.append(asked(run, f"chat {n}", 10.0 * n, **more))
    return told


def renamed(spans: Iterable[Told], run: str) -> list[Told]:
    return [replace(told, run=run) for told in spans]


SAME = called("run_tests", "tests/test_api.py", "1 failed: AssertionError: 3 != 4")


def read(number: int) -> Step:
    """A healthy call, with a result like no other."""
    return called("read_file", f"part {number}", f"{digest(str(number))} " * 30)
