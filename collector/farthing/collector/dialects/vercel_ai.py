"""The Vercel AI SDK for TypeScript: `ai.*`, official names beside them."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Exclusive

_DETAILS = "ai.usage.inputTokenDetails"

DIALECT = Dialect(
    name="vercel_ai",
    scopes=("ai", "@ai-sdk/*"),
    attributes={
        **semconv.GEN_AI,
        "operation": ("ai.operationId", "gen_ai.operation.name"),
        "provider": ("ai.model.provider", *semconv.GEN_AI["provider"]),
        "request_model": ("gen_ai.request.model", "ai.model.id"),
        "response_model": ("gen_ai.response.model", "ai.response.model"),
        "response_id": ("gen_ai.response.id", "ai.response.id"),
        "finish_reasons": (
            "gen_ai.response.finish_reasons",
            "ai.response.finishReason",
        ),
        "agent": ("gen_ai.agent.name", "ai.telemetry.functionId"),
        "tool_name": ("gen_ai.tool.name", "ai.toolCall.name"),
        "tool_call_id": ("gen_ai.tool.call.id", "ai.toolCall.id"),
        "input_total": (
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "ai.usage.tokens",
            *semconv.GEN_AI["input_total"],
        ),
        "output_total": (
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
            *semconv.GEN_AI["output_total"],
        ),
        "cache_read": (
            f"{_DETAILS}.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            *semconv.GEN_AI["cache_read"],
        ),
        "cache_write": (
            f"{_DETAILS}.cacheWriteTokens",
            *semconv.GEN_AI["cache_write"],
        ),
        "reasoning": (
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
            *semconv.GEN_AI["reasoning"],
        ),
        "total_tokens": ("ai.usage.totalTokens", *semconv.GEN_AI["total_tokens"]),
        "first_chunk_ms": ("ai.response.msToFirstChunk",),
    },
    operations={
        "ai.generateText.doGenerate": "model_call",
        "ai.streamText.doStream": "model_call",
        "ai.generateObject.doGenerate": "model_call",
        "ai.streamObject.doStream": "model_call",
        "ai.embed.doEmbed": "embedding",
        "ai.embedMany.doEmbed": "embedding",
        "ai.toolCall": "tool",
        "ai.generateText": "agent",
        "ai.streamText": "agent",
        "ai.generateObject": "agent",
        "ai.streamObject": "agent",
        "ai.embed": "other",
        "ai.embedMany": "other",
    },
    exclusive=(
        Exclusive(
            providers=(
                "anthropic",
                "anthropic.messages",
                "vertex.anthropic.messages",
                "bedrock.anthropic.messages",
                "amazon-bedrock",
            ),
            unless_told=(
                f"{_DETAILS}.noCacheTokens",
                f"{_DETAILS}.cacheReadTokens",
                f"{_DETAILS}.cacheWriteTokens",
            ),
        ),
    ),
    evidence=(
        "promptTokens 10 beside 2157 written (vercel/ai#7096); since 6, marked by "
        "inputTokenDetails, input includes them (getsentry/sentry-javascript#21488)"
    ),
)
