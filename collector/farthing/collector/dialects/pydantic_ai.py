"""pydantic-ai: official names, its own for the details, totals of a run apart."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="pydantic_ai",
    scopes=("pydantic-ai", "pydantic_ai"),
    attributes={
        **semconv.GEN_AI,
        "cache_read": (
            *semconv.GEN_AI["cache_read"],
            "gen_ai.usage.details.cache_read_tokens",
        ),
        "cache_write": (
            *semconv.GEN_AI["cache_write"],
            "gen_ai.usage.details.cache_write_tokens",
        ),
        "reasoning": (
            *semconv.GEN_AI["reasoning"],
            "gen_ai.usage.details.reasoning_tokens",
        ),
        "input_audio": (
            *semconv.GEN_AI["input_audio"],
            "gen_ai.usage.details.input_audio_tokens",
        ),
        "cache_audio": (
            *semconv.GEN_AI["cache_audio"],
            "gen_ai.usage.details.cache_audio_read_tokens",
        ),
        "output_audio": (
            *semconv.GEN_AI["output_audio"],
            "gen_ai.usage.details.output_audio_tokens",
        ),
        "claimed_usd": ("operation.cost",),
    },
    span_names={"agent run": "invoke_agent", "running tool": "execute_tool"},
    estimates=True,
    evidence="input_tokens 2750 for 50 + 2000 read + 700 written: pydantic-ai 2.68",
)
