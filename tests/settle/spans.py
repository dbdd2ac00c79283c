"""Spans as emitters tell them, for the tests of what is counted once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Value = str | int | float | bool
Attributes = Mapping[str, Value]

CAPTURES = Path(__file__).parents[1] / "otlp"
EPOCH_NS = 1_790_000_000 * 10**9
NATIVE = "com.anthropic.sdk.python"
OFFICIAL = "opentelemetry.instrumentation.genai.anthropic"
OFFICIAL_OPENAI = "opentelemetry.instrumentation.genai.openai"
LANGCHAIN = "opentelemetry.instrumentation.genai.langchain"
OPENINFERENCE = "openinference.instrumentation.anthropic"
OPENLLMETRY = "opentelemetry.instrumentation.anthropic"
LITELLM = "opentelemetry.instrumentation.litellm"
MCP = "mcp-python-sdk"


@dataclass(frozen=True)
class Told:
    """One span. Times are milliseconds from a fixed second; ids are small numbers."""

    scope: str
    span: int
    trace: int = 1
    parent: int = 0
    start_ms: int = 0
    end_ms: int = 1000
    name: str = "chat"
    failed: bool = False
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)


def request(spans: Iterable[Told]) -> bytes:
    """One OTLP request that tells of them."""
    made = ExportTraceServiceRequest()
    for told in spans:
        of_resource = made.resource_spans.add()
        of_resource.resource.attributes.extend(_key_values(told.resource))
        of_scope = of_resource.scope_spans.add()
        of_scope.scope.name = told.scope
        span = of_scope.spans.add()
        span.trace_id = told.trace.to_bytes(16, "big")
        span.span_id = told.span.to_bytes(8, "big")
        span.parent_span_id = told.parent.to_bytes(8, "big") if told.parent else b""
        span.name = told.name
        span.start_time_unix_nano = EPOCH_NS + told.start_ms * 10**6
        span.end_time_unix_nano = EPOCH_NS + told.end_ms * 10**6
        if told.failed:
            span.status.code = Status.STATUS_CODE_ERROR
        span.attributes.extend(_key_values(told.attributes))
    return bytes(made.SerializeToString())


def _key_values(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
    return AnyValue(string_value=value)


def chat(response_id: str = "", /, **more: Value) -> dict[str, Value]:
    """A chat of 2,750 prompt and 300 completion tokens, as the conventions tell it."""
    said: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.model": "claude-sonnet-4-5-20250929",
        "gen_ai.usage.input_tokens": 2750,
        "gen_ai.usage.output_tokens": 300,
        "gen_ai.usage.cache_read.input_tokens": 2000,
        "gen_ai.usage.cache_write.input_tokens": 700,
    }
    if response_id:
        said["gen_ai.response.id"] = response_id
    return {**said, **more}


def native(response_id: str = "", /, **more: Value) -> dict[str, Value]:
    """The same as Anthropic's own SDK tells it: lifetimes, reasoning and tier too."""
    return chat(
        response_id,
        **{
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 500,
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 200,
            "gen_ai.usage.reasoning.output_tokens": 90,
            "anthropic.response.service_tier": "standard",
            **more,
        },
    )


def openinference(**more: Value) -> dict[str, Value]:
    """The same as OpenInference tells it: without a response id."""
    return {
        "openinference.span.kind": "LLM",
        "llm.provider": "anthropic",
        "llm.model_name": "claude-sonnet-4-5-20250929",
        "llm.token_count.prompt": 2750,
        "llm.token_count.completion": 300,
        "llm.token_count.prompt_details.cache_read": 2000,
        "llm.token_count.prompt_details.cache_write": 700,
        **more,
    }


def tool(call_id: str = "", /, **more: Value) -> dict[str, Value]:
    """A call of the tool get_weather."""
    said: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
    }
    if call_id:
        said["gen_ai.tool.call.id"] = call_id
    return {**said, **more}


def messages(capture: str) -> list[bytes]:
    """The requests of a capture in the folder of captures."""
    data = (CAPTURES / f"{capture}.traces.pb").read_bytes()
    found, at = [], 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(data[at : at + length])
        at += length
    return found
