"""Claude Code's telemetry of one call, as its CLI 2.1.330 sends it."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

END_NS = 1_790_000_001 * 10**9
TRACE, INTERACTION = 70, 71
API_REQUEST: dict[str, Any] = {
    "event.name": "api_request",
    "event.sequence": 3,
    "session.id": "s-1",
    "prompt.id": "p-1",
    "anthropic.provider": "firstParty",
    "model": "claude-opus-5-20260101",
    "input_tokens": 50,
    "output_tokens": 300,
    "cache_read_tokens": 2000,
    "cache_creation_tokens": 700,
    "cache_creation_5m_tokens": 500,
    "cache_creation_1h_tokens": 200,
    "cost_usd": 0.0152625,
    "duration_ms": 1000,
    "speed": "normal",
}
LLM_REQUEST: dict[str, Any] = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-opus-5",
    "gen_ai.conversation.id": "s-1",
    "input_tokens": 50,
    "output_tokens": 300,
    "cache_read_tokens": 2000,
    "cache_creation_tokens": 700,
    "ttft_ms": 40,
    "stop_reason": "end_turn",
}


def logs(*records: dict[str, Any]) -> bytes:
    """A request of log records, and of one that is no call."""
    made = ExportLogsServiceRequest()
    scope = made.resource_logs.add().scope_logs.add()
    scope.scope.name = "com.anthropic.claude_code.events"
    for record in (*records, {"event.name": "user_prompt", "prompt": "secret"}):
        one = scope.log_records.add(time_unix_nano=END_NS)
        one.trace_id = TRACE.to_bytes(16)
        one.span_id = INTERACTION.to_bytes(8)
        one.attributes.extend(
            KeyValue(key=key, value=_any(value)) for key, value in record.items()
        )
    return bytes(made.SerializeToString())


def _any(value: Any) -> AnyValue:
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value)
