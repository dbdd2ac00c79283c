"""Logfire's own instrumentations of model SDKs."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="logfire",
    scopes=("logfire.openai*", "logfire.anthropic*", "logfire.google_genai*"),
    attributes={**semconv.GEN_AI, "claimed_usd": ("operation.cost",)},
    evidence=(
        "input_tokens includes cached tokens since 2026-03-27 (pydantic/logfire#1812); "
        "before that Anthropic's did not, which `cache > input` proves where it matters"
    ),
)
