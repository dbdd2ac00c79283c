"""Logfire's own instrumentations of model SDKs."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Within

_RAW = "gen_ai.usage.raw"

DIALECT = Dialect(
    name="logfire",
    scopes=("logfire.openai*", "logfire.anthropic*", "logfire.google_genai*"),
    attributes={**semconv.GEN_AI, "claimed_usd": ("operation.cost",)},
    within={
        "cache_write_5m": (
            Within(_RAW, ("cache_creation", "ephemeral_5m_input_tokens")),
        ),
        "cache_write_1h": (
            Within(_RAW, ("cache_creation", "ephemeral_1h_input_tokens")),
        ),
        "service_tier": (Within(_RAW, ("service_tier",)),),
        "speed": (Within(_RAW, ("speed",)),),
        "geo": (Within(_RAW, ("inference_geo",)),),
        "web_searches": (Within(_RAW, ("server_tool_use", "web_search_requests")),),
    },
    evidence=(
        "input_tokens includes cached tokens since 2026-03-27 (pydantic/logfire#1812); "
        "before that Anthropic's did not, which `cache > input` proves where it matters"
    ),
)
