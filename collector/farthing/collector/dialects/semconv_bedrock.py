"""The official Bedrock instrumentations, whose input leaves out cached tokens."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Exclusive

DIALECT = Dialect(
    name="semconv_bedrock",
    scopes=(
        "opentelemetry.instrumentation.genai.bedrock",
        "opentelemetry.instrumentation.botocore*",
        "opentelemetry.instrumentation.bedrock",
    ),
    attributes=semconv.GEN_AI,
    exclusive=(Exclusive(unless_streamed="openai."),),
    evidence=(
        "Bedrock's inputTokens are copied as they are: genai-bedrock 1.3b0 emits 50 "
        "for a call of 2750; OpenLLMetry's bedrock the same (openllmetry#4449)."
        " Of OpenAI's models a stream told 4995 with 4993 written, an answer in one"
        " piece 2 (maximhq/bifrost#6942)"
    ),
)
