"""Logfire's own instrumentations of model SDKs."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="logfire",
    scopes=("logfire.openai*", "logfire.anthropic*", "logfire.google_genai*"),
    attributes={
        **semconv.GEN_AI,
        "cache_write_5m": ("usage:ephemeral_5m_input_tokens",),
        "cache_write_1h": (
            *semconv.GEN_AI["cache_write_1h"],
            "usage:ephemeral_1h_input_tokens",
        ),
        "service_tier": (*semconv.GEN_AI["service_tier"], "usage:service_tier"),
        "speed": (*semconv.GEN_AI["speed"], "usage:speed"),
        "geo": (*semconv.GEN_AI["geo"], "usage:inference_geo"),
        "web_searches": (
            *semconv.GEN_AI["web_searches"],
            "usage:web_search_requests",
        ),
        "claimed_usd": ("operation.cost",),
    },
    usages=(("gen_ai.usage.raw", ""),),
    estimates=True,
    evidence=(
        "input_tokens includes cached tokens since 2026-03-27 (pydantic/logfire#1812); "
        "before that Anthropic's did not, which `cache > input` proves where it matters"
    ),
)
