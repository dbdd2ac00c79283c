"""What a block of spans is cut from: each kind of span, serialised once."""

from __future__ import annotations

from itertools import count

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

Bytes = npt.NDArray[np.uint8]

BLOCK_SPANS = 512
_PADDING = "bench.padding"
# Markers: what a template holds where a block writes its own.
_TRACE, _SPAN, _PARENT = b"T" * 16, b"S" * 8, b"P" * 8
_START_NS, _END_NS = 0x4141414141414141, 0x4242424242424242
_RUN, _RESPONSE = "r" * 16, "c" * 24
_ARGUMENTS, _RESULT, _NORMALISED = "a" * 16, "z" * 16, "n" * 16
# Token counts whose varints are three and two bytes long, as typical ones are.
_INPUT, _CACHED, _WRITTEN, _OUTPUT = 1_234_567, 1_234_568, 1_234_569, 12_345

_Value = str | int | list[str]


def _key_values(attributes: dict[str, _Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: _Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(array_value=ArrayValue(values=[_any(item) for item in value]))


_WHOSE: dict[str, _Value] = {
    "farthing.task.type": "code-review",
    "farthing.task.id": _RUN,
    "farthing.step.name": "inspect",
    "farthing.business_unit": "platform",
    "farthing.team": "developer-tools",
    "farthing.user": "amira",
    "gen_ai.agent.name": "pr-reviewer",
}
_CHAT: dict[str, _Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    "gen_ai.response.id": "msg_" + _RESPONSE,
    "gen_ai.response.finish_reasons": ["tool_calls"],
    "gen_ai.request.max_tokens": 8192,
    "gen_ai.usage.input_tokens": _INPUT,
    "gen_ai.usage.output_tokens": _OUTPUT,
    "gen_ai.usage.cache_read.input_tokens": _CACHED,
    "gen_ai.usage.cache_write.input_tokens": _WRITTEN,
    "server.address": "api.anthropic.com",
    "server.port": 443,
}
_TOOL: dict[str, _Value] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "read_file",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": "call_" + _RESPONSE,
    "farthing.fingerprint.args_hash": _ARGUMENTS,
    "farthing.fingerprint.args_len": 61,
    "farthing.fingerprint.result_hash": _RESULT,
    "farthing.fingerprint.result_norm_hash": _NORMALISED,
    "farthing.fingerprint.result_len": 5120,
    "farthing.fingerprint.error": "false",
}
# Two of three spans are model calls: more than in real runs, and the dearer kind.
_MODEL_CALL = ("chat claude-sonnet-4-5", _CHAT)
KINDS = (_MODEL_CALL, _MODEL_CALL, ("execute_tool read_file", _TOOL))


def block(task_type: str) -> Bytes:
    """A block whose rows are the kinds in turn, markers where its own values go."""
    kinds = [_tagged(2, span) for span in _of_one_size(task_type)]
    rows = [kinds[i % len(kinds)] for i in range(BLOCK_SPANS)]
    return np.stack([np.frombuffer(row, np.uint8) for row in rows])


def _of_one_size(task_type: str) -> list[bytes]:
    """A span of each kind, all of the least size that all can be padded to."""
    longest = max(len(_span(name, own, task_type)) for name, own in KINDS)
    for size in count(longest):
        spans = [_padded(name, own, task_type, size) for name, own in KINDS]
        if all(spans):
            return spans
    raise AssertionError("count() does not end")


def _padded(name: str, own: dict[str, _Value], task_type: str, size: int) -> bytes:
    """The span, with one more attribute if need be, of `size` bytes; b"" if none is.

    Some sizes cannot be had: where a length grows by a digit, the span grows by two.
    """
    plain = _span(name, own, task_type)
    padded = (
        _span(name, own | {_PADDING: "-" * length}, task_type)
        for length in range(size - len(plain))
    )
    return next((span for span in (plain, *padded) if len(span) == size), b"")


def _span(name: str, own: dict[str, _Value], task_type: str) -> bytes:
    attributes = {**own, **_WHOSE, "farthing.task.type": task_type}
    span: bytes = Span(
        trace_id=_TRACE,
        span_id=_SPAN,
        parent_span_id=_PARENT,
        name=name,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=_START_NS,
        end_time_unix_nano=_END_NS,
        attributes=_key_values(attributes),
        flags=0x100,
    ).SerializeToString()
    return span


def head(spans_bytes: int) -> bytes:
    """What stands before `spans_bytes` of spans in a request: resource and scope."""
    process = {"service.name": "bench", "deployment.environment.name": "bench"}
    scope = InstrumentationScope(
        name="opentelemetry.instrumentation.genai.anthropic", version="1.3b0"
    )
    before_spans = ScopeSpans(scope=scope).SerializeToString()
    resource = ResourceSpans(
        resource=Resource(attributes=_key_values({**process}))
    ).SerializeToString()
    scope_bytes = len(before_spans) + spans_bytes
    in_resource = resource + b"\x12" + varint(scope_bytes) + before_spans
    return b"\x0a" + varint(len(in_resource) + spans_bytes) + in_resource


def _tagged(number: int, message: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(message)) + message


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    groups = []
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


# The markers as they stand in the serialised spans.
TRACE, SPAN, PARENT = _TRACE, _SPAN, _PARENT
RUN, RESPONSE = _RUN.encode(), _RESPONSE.encode()
FINGERPRINTS = tuple(one.encode() for one in (_ARGUMENTS, _RESULT, _NORMALISED))
START, END = (ns.to_bytes(8, "little") for ns in (_START_NS, _END_NS))
INPUT, CACHED, WRITTEN, OUTPUT = map(varint, (_INPUT, _CACHED, _WRITTEN, _OUTPUT))
MARKERS = (
    *(TRACE, SPAN, PARENT, RUN, RESPONSE, START, END),
    *(INPUT, CACHED, WRITTEN, OUTPUT),
    *FINGERPRINTS,
)
