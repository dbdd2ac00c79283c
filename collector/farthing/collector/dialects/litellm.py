"""LiteLLM's own callback (`callbacks=["otel"]`) and its proxy."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Within


def _in_usage(*names: str) -> tuple[Within, ...]:
    """The usage object, which is told as Python prints it."""
    return tuple(
        Within("metadata.usage_object", pattern=f"'{name}': ([0-9]+)") for name in names
    )


DIALECT = Dialect(
    name="litellm",
    scopes=("litellm",),
    attributes={
        **semconv.GEN_AI,
        "operation": ("gen_ai.operation.name", "llm.request.type"),
        "streamed": (*semconv.GEN_AI["streamed"], "llm.is_streaming"),
        "claimed_usd": ("gen_ai.cost.total_cost",),
    },
    within={
        "cache_read": _in_usage("cache_read_input_tokens", "cached_tokens"),
        "cache_write": _in_usage("cache_creation_input_tokens"),
        "cache_write_5m": _in_usage("ephemeral_5m_input_tokens"),
        "cache_write_1h": _in_usage("ephemeral_1h_input_tokens"),
        "reasoning": _in_usage("reasoning_tokens"),
        "web_searches": _in_usage("web_search_requests"),
    },
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
