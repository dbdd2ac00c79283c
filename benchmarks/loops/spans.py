"""Labelled runs as the spans of an agent under Farthing's instrumentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from farthing.collector.demo.tell import Attributes, key_values
from farthing.collector.watch.labelled import LabelledRun
from farthing.economics.loops import Step
from farthing.semconv import FINGERPRINT, STEP_FIELDS

STEP_NS: Final = 5 * 10**9
"""From one step's beginning to the next one's; each takes four seconds."""
_SCOPE: Final = "opentelemetry.instrumentation.genai.openai"
_TEXTS: Final = ("text_hash", "text_norm_hash")
SAME: Final = Step(
    kind="tool",
    name="run_tests",
    args_hash="a1" * 8,
    result_hash="b2" * 8,
    result_norm_hash="c3" * 8,
    result_len=900,
)
"""A call that is the same whenever it is made."""


def request(spans: Iterable[Span]) -> bytes:
    """Spans as one request."""
    made = ExportTraceServiceRequest()
    of_scope = made.resource_spans.add().scope_spans.add()
    of_scope.scope.name = _SCOPE
    of_scope.spans.extend(spans)
    body: bytes = made.SerializeToString()
    return body


def copied(runs: Iterable[LabelledRun], times: int) -> Iterator[LabelledRun]:
    """Each run several times, under names of their own, which say nothing: as in a
    ledger, runs of one source do not stand side by side."""
    for run in runs:
        for copy in range(times):
            name = f"{run.source} {run.trace_id} {copy}"
            yield replace(run, trace_id=_digest(name, 16).hex())


def interleaved(runs: Iterable[LabelledRun], *, first_ns: int) -> list[Span]:
    """The spans of runs that all began at one moment, as they ended."""
    spans = [
        span
        for run in runs
        for span in spans_of(run.trace_id, run.steps, first_ns=first_ns)
    ]
    return sorted(spans, key=lambda span: span.end_time_unix_nano)


def spans_of(run_id: str, steps: Sequence[Step], *, first_ns: int) -> Iterator[Span]:
    """A span for each call of a model or tool; a person who spoke is told by the next
    model call."""
    spoken = False
    for number, step in enumerate(steps):
        if step.kind == "user":
            spoken = True
            continue
        own = _called(step) if step.kind == "tool" else _asked(step, spoken=spoken)
        spoken = spoken and step.kind == "tool"
        yield _span(run_id, number, own, start_ns=first_ns + number * STEP_NS)


def _span(run_id: str, number: int, own: Attributes, *, start_ns: int) -> Span:
    name = f"{run_id} {number}"
    whose: Attributes = {
        "farthing.task.id": run_id,
        "farthing.task.type": "looping",
        "gen_ai.agent.name": "looper",
    }
    if own["gen_ai.operation.name"] == "chat":
        own["gen_ai.response.id"] = f"chatcmpl-{_digest(name, 8).hex()}"
    else:
        own["gen_ai.tool.call.id"] = f"call_{_digest(name, 8).hex()}"
    span = Span(
        trace_id=_digest(run_id, 16),
        span_id=_digest(name, 8),
        name=str(own["gen_ai.operation.name"]),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + STEP_NS * 4 // 5,
        attributes=key_values({**own, **whose}),
    )
    if "error.type" in own:
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _asked(step: Step, *, spoken: bool) -> Attributes:
    own: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "server.address": "api.openai.com",
        "gen_ai.usage.input_tokens": step.input_tokens or 1000,
        "gen_ai.usage.output_tokens": step.output_tokens or 100,
        **_fingerprints(step, _TEXTS),
    }
    return own | {f"{FINGERPRINT}user_turn": True} if spoken else own


def _called(step: Step) -> Attributes:
    own: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": step.name,
        **_fingerprints(step, STEP_FIELDS),
    }
    return own | {"error.type": "ToolError"} if step.error else own


def _fingerprints(step: Step, names: Sequence[str]) -> Attributes:
    told = {name: getattr(step, name) for name in names}
    return {
        f"{FINGERPRINT}{name}": _text(value)
        for name, value in told.items()
        if value not in ("", None) and (value or name != "retryable")
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()
