"""LiteLLM's own callback (`callbacks=["otel"]`) and its proxy."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="litellm",
    scopes=("litellm",),
    attributes={
        **semconv.GEN_AI,
        "operation": ("gen_ai.operation.name", "llm.request.type"),
        "streamed": (*semconv.GEN_AI["streamed"], "llm.is_streaming"),
        "cache_read": (
            *semconv.GEN_AI["cache_read"],
            "usage:cache_read_input_tokens",
            "usage:cached_tokens",
        ),
        "cache_write": (
            *semconv.GEN_AI["cache_write"],
            "usage:cache_creation_input_tokens",
        ),
        "cache_write_5m": ("usage:ephemeral_5m_input_tokens",),
        "cache_write_1h": ("usage:ephemeral_1h_input_tokens",),
        "reasoning": (*semconv.GEN_AI["reasoning"], "usage:reasoning_tokens"),
        "web_searches": (
            *semconv.GEN_AI["web_searches"],
            "usage:web_search_requests",
        ),
        "claimed_usd": ("gen_ai.cost.total_cost",),
    },
    usages=(("metadata.usage_object", ""),),
    operations={
        "acompletion": "model_call",
        "atext_completion": "model_call",
        "responses": "model_call",
        "aresponses": "model_call",
        "anthropic_messages": "model_call",
        "embedding": "embedding",
        "aembedding": "embedding",
        "raw_gen_ai_request": "other",
    },
    span_names={"litellm_request": "chat", "raw_gen_ai_request": "raw_gen_ai_request"},
    evidence=(
        "prompt tokens include cached ones in LiteLLM 1.106, and are told apart in the "
        "usage object only; raw_gen_ai_request "
        "repeats its parent's usage; the response id is mostly LiteLLM's own"
    ),
)
