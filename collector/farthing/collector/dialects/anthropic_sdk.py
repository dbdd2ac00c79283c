"""Spans that the Anthropic SDK emits itself."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="anthropic_sdk",
    scopes=("com.anthropic.sdk.python*", "com.anthropic.sdk.typescript*"),
    attributes={
        **semconv.GEN_AI,
        "finish_reasons": (
            "gen_ai.response.finish_reasons",
            "anthropic.message.stop_reason",
        ),
    },
    evidence="input_tokens 2750 for 50 + 2000 read + 700 written: SDK 2.12",
)
