"""What is instrumented, by whom and when: one line of data per library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Library:
    """A library whose calls cost money, or that runs agents.

    It comes in one of `distributions`, and is instrumented once `trigger`, a module of
    it, has been imported. `official` is the distribution of the official package, ""
    where there is none; `entry_points` are the names under which that and other
    families' instrumentors announce themselves.
    `ours` is the module of `farthing.instrumentation.calls` that is installed after
    them, and `framework` that of `farthing.instrumentation.frameworks`.
    `must_have` names what the official package wraps: where it is all there, a release
    that the package does not know yet is instrumented all the same. `has_own_spans`
    says that the library tells of its calls by itself, too.
    """

    name: str
    trigger: str
    distributions: tuple[str, ...]
    extra: str = ""
    official: str = ""
    entry_points: tuple[str, ...] = ()
    ours: str = ""
    framework: str = ""
    must_have: tuple[str, ...] = ()
    has_own_spans: bool = False

    def is_disabled(self, disabled: frozenset[str]) -> bool:
        """Whether the user disabled it, by its name or one of its instrumentors'."""
        return bool(disabled & {"*", self.name, *self.entry_points})


_GENAI: Final = "opentelemetry-instrumentation-genai"

LIBRARIES: Final = (
    Library(
        "openai",
        trigger="openai",
        distributions=("openai",),
        extra="openai",
        official=f"{_GENAI}-openai",
        entry_points=("openai",),
        ours="openai",
    ),
    Library(
        "anthropic",
        trigger="anthropic",
        distributions=("anthropic",),
        extra="anthropic",
        official=f"{_GENAI}-anthropic",
        entry_points=("anthropic",),
        ours="anthropic",
        has_own_spans=True,
    ),
    Library(
        "bedrock",
        trigger="botocore.client",
        distributions=("boto3", "botocore", "aiobotocore"),
        extra="bedrock",
        official=f"{_GENAI}-bedrock",
        entry_points=("bedrock",),
        ours="bedrock",
    ),
    Library(
        "google-genai",
        trigger="google.genai",
        distributions=("google-genai",),
        extra="google",
        official="opentelemetry-instrumentation-google-genai",
        entry_points=("google-genai", "google_genai", "google_generativeai"),
        ours="google_genai",
        must_have=(
            "google.genai.models:Models.generate_content",
            "google.genai.models:Models.generate_content_stream",
            "google.genai.models:Models.embed_content",
            "google.genai.models:AsyncModels.generate_content",
            "google.genai.models:AsyncModels.generate_content_stream",
            "google.genai.models:AsyncModels.embed_content",
        ),
    ),
    Library(
        "langchain",
        # Not langchain_core.callbacks: circular, and what it bounds is told twice.
        trigger="langchain_core.language_models.chat_models",
        distributions=("langgraph", "langchain", "langchain-core"),
        extra="langchain",
        official=f"{_GENAI}-langchain",
        entry_points=("langchain",),
        ours="langchain",
        framework="langgraph",
        # The package asks for `langchain`, and needs only langchain-core.
        must_have=(
            "langchain_core.callbacks:BaseCallbackManager.__init__",
            "langchain_core.callbacks:BaseCallbackHandler",
        ),
    ),
    Library(
        "openai-agents",
        trigger="agents",
        distributions=("openai-agents",),
        extra="openai-agents",
        official=f"{_GENAI}-openai-agents",
        entry_points=("openai_agents",),
        ours="openai_agents",
        framework="openai_agents",
    ),
    Library(
        "llama-index",
        trigger="llama_index.core",
        distributions=("llama-index-core",),
        extra="llama-index",
        official=f"{_GENAI}-llama-index",
        entry_points=("llama_index", "llamaindex"),
        ours="llama_index",
    ),
    Library(
        "litellm",
        trigger="litellm",
        distributions=("litellm",),
        extra="litellm",
        entry_points=("litellm",),
        ours="litellm",
    ),
    Library(
        "crewai",
        trigger="crewai",
        distributions=("crewai",),
        extra="crewai",
        entry_points=("crewai",),
        ours="crewai",
        framework="crewai",
    ),
    Library(
        "pydantic-ai",
        trigger="pydantic_ai",
        distributions=("pydantic-ai-slim", "pydantic-ai"),
        extra="pydantic-ai",
        entry_points=("pydantic_ai",),
        ours="pydantic_ai",
    ),
    Library(
        "claude-agent-sdk",
        trigger="claude_agent_sdk",
        distributions=("claude-agent-sdk",),
        ours="claude_agent_sdk",
        has_own_spans=True,
    ),
    Library(
        "mcp",
        trigger="mcp",
        distributions=("mcp",),
        entry_points=("mcp",),
        ours="mcp",
        has_own_spans=True,
    ),
)
BY_ENTRY_POINT: Final = {name: lib for lib in LIBRARIES for name in lib.entry_points}
