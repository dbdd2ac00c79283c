"""LangSmith's exporter: LangChain's usage, its details as Python prints them."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="langsmith",
    scopes=("langsmith",),
    attributes={
        **semconv.GEN_AI,
        "operation": ("langsmith.span.kind", "gen_ai.operation.name"),
        "cache_read": ("usage:cache_read",),
        "cache_write": ("usage:cache_creation",),
        "cache_write_5m": ("usage:ephemeral_5m_input_tokens",),
        "cache_write_1h": ("usage:ephemeral_1h_input_tokens",),
        "reasoning": ("usage:reasoning",),
        "streamed": ("langsmith.request.streaming", *semconv.GEN_AI["streamed"]),
        "service_tier": (
            "gen_ai.response.service_tier",
            *semconv.GEN_AI["service_tier"],
        ),
    },
    usages=(
        ("gen_ai.usage.input_token_details", ""),
        ("gen_ai.usage.output_token_details", ""),
    ),
    operations={
        "llm": "model_call",
        "embedding": "embedding",
        "tool": "tool",
        "retriever": "retrieval",
        "chain": "other",
        "prompt": "other",
        "parser": "other",
    },
    evidence=(
        "LangChain's input_tokens are the sum of all input tokens; a prompt that is"
        " filled in is called a chat, a retriever an embedding: langsmith 0.15.1. Both"
        " details say `audio`, which is not read"
    ),
)
