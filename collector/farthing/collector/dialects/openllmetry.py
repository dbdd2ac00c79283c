"""OpenLLMetry (Traceloop): official names, and its own for what came before them."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="openllmetry",
    scopes=(
        "opentelemetry.instrumentation.openai.v0",
        "opentelemetry.instrumentation.openai.v1",
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry.instrumentation.litellm",
        "opentelemetry.instrumentation.langchain",
        "traceloop*",
    ),
    attributes={
        **semconv.GEN_AI,
        "operation": (
            "gen_ai.operation.name",
            "traceloop.span.kind",
            "llm.request.type",
        ),
        "input_total": (*semconv.GEN_AI["input_total"], "llm.usage.prompt_tokens"),
        "output_total": (
            *semconv.GEN_AI["output_total"],
            "llm.usage.completion_tokens",
        ),
        "reasoning": (*semconv.GEN_AI["reasoning"], "llm.usage.reasoning_tokens"),
        "agent": ("gen_ai.agent.name", "traceloop.entity.name"),
        "host": ("server.address", "gen_ai.openai.api_base"),
        "streamed": ("gen_ai.is_streaming", "llm.is_streaming"),
    },
    operations={
        "tool": "tool",
        "agent": "agent",
        "workflow": "agent",
        "task": "other",
        "embedding": "embedding",
    },
    evidence="input_tokens 1200 with 1024 cached, 2750 with 2700: OpenLLMetry 0.62.4",
)
