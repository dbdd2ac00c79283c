"""What is instrumented, by whom and when: one line of data per library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Library:
    """A library whose calls cost money, or that runs agents.

    It is instrumented once `trigger`, a module of it, has been imported. `official` is
    the distribution of the official package, "" where there is none; `entry_points` are
    the names under which that and other families' instrumentors announce themselves.
    `ours` is the module of `farthing.instrumentation.calls` that is installed after
    them, and `framework` that of `farthing.instrumentation.frameworks`.
    `must_have` names what the official package wraps: where it is all there, a release
    that the package does not know yet is instrumented all the same.
    """

    name: str
    trigger: str
    extra: str = ""
    official: str = ""
    entry_points: tuple[str, ...] = ()
    ours: str = ""
    framework: str = ""
    must_have: tuple[str, ...] = ()


_GENAI: Final = "opentelemetry-instrumentation-genai"

LIBRARIES: Final = (
    Library(
        "openai",
        trigger="openai",
        extra="openai",
        official=f"{_GENAI}-openai",
        entry_points=("openai",),
        ours="openai",
    ),
    Library(
        "anthropic",
        trigger="anthropic",
        extra="anthropic",
        official=f"{_GENAI}-anthropic",
        entry_points=("anthropic",),
        ours="anthropic",
    ),
    Library(
        "bedrock",
        trigger="botocore.client",
        extra="bedrock",
        official=f"{_GENAI}-bedrock",
        entry_points=("bedrock",),
        ours="bedrock",
    ),
    Library(
        "google-genai",
        trigger="google.genai",
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
        extra="openai-agents",
        official=f"{_GENAI}-openai-agents",
        entry_points=("openai_agents",),
        ours="openai_agents",
        framework="openai_agents",
    ),
    Library(
        "llama-index",
        trigger="llama_index.core",
        extra="llama-index",
        official=f"{_GENAI}-llama-index",
        entry_points=("llama_index", "llamaindex"),
        ours="llama_index",
    ),
    Library(
        "litellm",
        trigger="litellm",
        extra="litellm",
        entry_points=("litellm",),
        ours="litellm",
    ),
    Library(
        "crewai",
        trigger="crewai",
        extra="crewai",
        entry_points=("crewai",),
        ours="crewai",
        framework="crewai",
    ),
    Library(
        "pydantic-ai",
        trigger="pydantic_ai",
        extra="pydantic-ai",
        entry_points=("pydantic_ai",),
        ours="pydantic_ai",
    ),
    Library("mcp", trigger="mcp", entry_points=("mcp",), ours="mcp"),
)
BY_ENTRY_POINT: Final = {name: lib for lib in LIBRARIES for name in lib.entry_points}
