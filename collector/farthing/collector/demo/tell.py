"""What an emitter says of a model call, a tool call or an agent, as span attributes.

Names and shapes are those of the official OpenTelemetry GenAI packages 1.3b0, as real
SDKs under them were seen to send. Never message content: of a tool call there are keyed
hashes and lengths only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from farthing import semconv
from farthing.collector.demo.cast import Agent, Tool, User
from farthing.collector.demo.models import SCOPE_VERSION, Model

Value = str | bool | int | float | tuple[str, ...]
Attributes = dict[str, Value]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
_KEY: Final = b"demo"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Usage as the official packages tell it: cached and reasoning are included."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool; equal `arguments` and `result` are equal calls.

    Both stand for the content, which is hashed and not sent; `noise` is what differs
    between two results that say the same, such as a time that they took.
    """

    tool: Tool
    arguments: str
    result: str
    result_tokens: int
    noise: str = ""
    error: str = ""


def resource(agent: Agent) -> Attributes:
    """The process that `agent` runs in."""
    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "telemetry.auto.version": "0.66b2",
        "service.name": agent.service,
        "service.version": "2026.11",
        "service.instance.id": digest(agent.service),
        "deployment.environment.name": "production",
    }


def scope_version(scope: str) -> str:
    """The version that a scope of this name carries."""
    return SCOPE_VERSION if scope.startswith("opentelemetry.") else "2.3.0"


def whose(task_type: str, *, run_id: str, user: User) -> Attributes:
    """Who a run is for: on each of its spans."""
    return {
        semconv.TASK_TYPE: task_type,
        semconv.TASK_ID: run_id,
        semconv.BUSINESS_UNIT: user.business_unit,
        semconv.TEAM: user.team,
        semconv.USER: user.name,
    }


def asked(model: Model) -> Attributes:
    """What a span says of a call whatever comes of it."""
    return {
        "gen_ai.operation.name": model.api.operation,
        "gen_ai.provider.name": model.api.provider,
        "gen_ai.request.model": model.name,
        "gen_ai.request.max_tokens": 8192,
        "server.address": model.api.host,
        "server.port": 443,
    }


def prefix(agent: Agent, begun: str) -> Attributes:
    """The fingerprint of what a call's prompt begins with: instructions and tools.
    `begun` is what differs of it from run to run."""
    return {f"{semconv.FINGERPRINT}prefix_hash": digest("prefix", agent.name, begun)}


def answered(model: Model, *, response_id: str, finish: str) -> Attributes:
    """What a span says of a call that was answered, usage apart."""
    attributes: Attributes = {
        "gen_ai.response.model": model.served_as,
        "gen_ai.response.id": model.api.id_prefix + response_id,
        "gen_ai.response.finish_reasons": (finish,),
    }
    if model.api.provider == "openai":
        attributes["openai.response.service_tier"] = "default"
    return attributes


def used(tokens: Tokens) -> Attributes:
    """Usage; buckets that a provider does not report are left out, not zero."""
    attributes: Attributes = {
        "gen_ai.usage.input_tokens": tokens.input,
        "gen_ai.usage.output_tokens": tokens.output,
    }
    if tokens.cache_read or tokens.cache_write:
        attributes["gen_ai.usage.cache_read.input_tokens"] = tokens.cache_read
    if tokens.cache_write:
        attributes["gen_ai.usage.cache_write.input_tokens"] = tokens.cache_write
    if tokens.reasoning:
        attributes["gen_ai.usage.reasoning.output_tokens"] = tokens.reasoning
    return attributes


def streamed(first_chunk_s: float) -> Attributes:
    """A call whose answer came in pieces."""
    return {
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": first_chunk_s,
    }


def embedded(model: Model, *, input_tokens: int) -> Attributes:
    """An embedding."""
    return {
        **asked(model),
        "gen_ai.operation.name": "embeddings",
        "gen_ai.response.model": model.served_as,
        "gen_ai.embeddings.dimension.count": 1536,
        "gen_ai.usage.input_tokens": input_tokens,
    }


def tool_called(call: ToolCall, *, call_id: str) -> Attributes:
    """A tool call, with the fingerprints that Farthing's instrumentation adds.

    They are the fields of the loop benchmark's tool steps (benchmarks/loops).
    """
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.tool.name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": f"call_{call_id}",
        **_fingerprints(call),
    }


def _fingerprints(call: ToolCall) -> Attributes:
    told: Attributes = {
        "args_hash": digest(call.arguments),
        "args_norm_hash": digest("norm", call.arguments),
        "args_len": 20 + len(call.arguments),
        "result_hash": digest(call.result, call.noise),
        "result_norm_hash": digest("norm", call.result),
        "result_len": 4 * call.result_tokens,
        "empty": False,
        "error": bool(call.error),
    }
    if call.error:
        told["err_sig_hash"] = digest("error", call.result)
    return {f"{semconv.FINGERPRINT}{name}": value for name, value in told.items()}


def achieved(outcome: str) -> Attributes:
    """What a run achieved."""
    return {"gen_ai.operation.name": "outcome", semconv.OUTCOME_NAME: outcome}


def failed(error_type: str) -> Attributes:
    """Why a span failed."""
    return {"error.type": error_type}


def digest(*parts: str) -> str:
    """A keyed hash, 16 hex digits."""
    return blake2b("\0".join(parts).encode(), digest_size=8, key=_KEY).hexdigest()


def key_values(attributes: Mapping[str, Value]) -> list[KeyValue]:
    """`attributes` as OTLP has them."""
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
