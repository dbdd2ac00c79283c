"""OpenLIT: official names since 1.36, its own for the details of usage before."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Exclusive

_DETAILS = "gen_ai.usage.prompt_tokens_details"

DIALECT = Dialect(
    name="openlit",
    scopes=("openlit*",),
    attributes={
        **semconv.GEN_AI,
        "cache_read": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            f"{_DETAILS}.cache_read",
        ),
        "reasoning": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.completion_tokens_details.reasoning",
        ),
    },
    exclusive=(Exclusive(providers=("anthropic", "aws.bedrock")),),
    reasoning_apart=("gcp.gemini", "gemini"),
    evidence=(
        "input_tokens of Anthropic's and Bedrock's usage and candidates_token_count of"
        " Gemini's are copied as they are: OpenLIT 1.45. prompt_tokens_details"
        ".cache_write is not read: its JavaScript puts audio there"
    ),
)
