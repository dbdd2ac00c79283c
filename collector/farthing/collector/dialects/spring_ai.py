"""Spring AI: official names through Micrometer, whose spans are Spring Boot's."""

from farthing import semconv
from farthing.collector.dialects import Dialect, Exclusive

DIALECT = Dialect(
    name="spring_ai",
    scopes=("org.springframework.boot",),
    attributes=semconv.GEN_AI,
    operations={"embedding": "embedding"},
    exclusive=(Exclusive(providers=("anthropic", "bedrock_converse")),),
    zeros_untold=True,
    evidence=(
        "an answer without usage has an EmptyUsage, three zeros, and before 2.1 no span"
        " says that it was streamed; Anthropic's input tokens are copied beside those"
        " that it read: spring-ai's DefaultChatModelObservationConvention and"
        " AnthropicChatModel. Spring Boot names the scope, whoever makes the span. Of"
        " models that run tools by themselves, as before 2.0, a call tells what those"
        " before it used as well (getCumulativeUsage), and no span says so"
    ),
)
