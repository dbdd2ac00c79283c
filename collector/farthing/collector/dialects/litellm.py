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
        "claimed_usd": ("gen_ai.cost.total_cost",),
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
        "prompt tokens include cached ones in LiteLLM 1.106; raw_gen_ai_request "
        "repeats its parent's usage; the response id is mostly LiteLLM's own"
    ),
)
