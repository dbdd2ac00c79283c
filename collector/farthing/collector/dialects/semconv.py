"""Official OpenTelemetry GenAI conventions, and whoever follows them unnamed here."""

from farthing import semconv
from farthing.collector.dialects import Dialect

DIALECT = Dialect(
    name="semconv",
    scopes=("*",),
    attributes=semconv.GEN_AI,
    evidence=(
        "gen_ai.usage.input_tokens includes cached tokens: semantic-conventions-genai; "
        "seen in the official OpenAI, Anthropic, Gemini and LangChain packages 1.3b0"
    ),
)
