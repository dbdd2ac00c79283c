"""OpenInference (Arize): `llm.token_count.*` and `openinference.span.kind`."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="openinference",
    scopes=("openinference.instrumentation*",),
    attributes={
        **semconv.ATTRIBUTION,
        "operation": ("openinference.span.kind",),
        "provider": ("llm.provider", "llm.system"),
        "request_model": ("llm.model_name", "embedding.model_name"),
        "response_id": ("usage:id",),
        "service_tier": ("usage:service_tier",),
        "speed": (*semconv.ATTRIBUTION["speed"], "usage:speed"),
        "geo": (*semconv.ATTRIBUTION["geo"], "usage:inference_geo"),
        "finish_reasons": ("llm.finish_reason",),
        "conversation_id": ("session.id",),
        "user": (semconv.USER, "user.id"),
        "agent": ("agent.name",),
        "tool_name": ("tool.name",),
        "tool_call_id": ("tool_call.id",),
        "error_type": ("error.type",),
        "input_total": ("llm.token_count.prompt",),
        "output_total": ("llm.token_count.completion",),
        "cache_read": ("llm.token_count.prompt_details.cache_read",),
        "cache_write": ("llm.token_count.prompt_details.cache_write",),
        "cache_write_5m": ("usage:ephemeral_5m_input_tokens",),
        "cache_write_1h": ("usage:ephemeral_1h_input_tokens",),
        "web_searches": (
            *semconv.ATTRIBUTION["web_searches"],
            "usage:web_search_requests",
        ),
        "reasoning": ("llm.token_count.completion_details.reasoning",),
        "input_audio": ("llm.token_count.prompt_details.audio",),
        "output_audio": ("llm.token_count.completion_details.audio",),
        "claimed_usd": ("llm.cost.total",),
    },
    answers=("output.value",),
    usages=(("metadata", "server_tool_use"),),
    operations={
        "LLM": "model_call",
        "EMBEDDING": "embedding",
        "TOOL": "tool",
        "AGENT": "agent",
        "RETRIEVER": "retrieval",
        "CHAIN": "other",
        "RERANKER": "other",
        "GUARDRAIL": "other",
        "EVALUATOR": "other",
    },
    evidence="token_count.prompt 1200 with 1024 cached: OpenInference 0.1.66, 3.1.0",
)
