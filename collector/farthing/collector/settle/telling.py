"""What one span tells of a call, as far as it matters for who owns the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from farthing.collector.settle.entries import PROMPT_TOKENS, Entry, Reader

Key = tuple[str, str]
"""Trace id and span id."""

OWN_IDS: Final = (
    "opentelemetry.instrumentation.litellm",
    "openinference.instrumentation.litellm",
    "litellm",
)
"""Scopes whose response ids may be their own, not the provider's."""

_RANKS: Final[Sequence[tuple[str, int]]] = (
    ("com.anthropic.sdk.", 0),
    ("opentelemetry.instrumentation.genai.langchain", 4),
    ("opentelemetry.instrumentation.genai.llama_index", 4),
    ("opentelemetry.instrumentation.genai.openai_agents", 4),
    ("opentelemetry.instrumentation.genai.", 1),
    ("opentelemetry.instrumentation.google_genai", 1),
    ("opentelemetry.instrumentation.botocore", 1),
    ("openinference.instrumentation.langchain", 4),
    ("openinference.instrumentation.llama_index", 4),
    ("openinference.instrumentation.litellm", 4),
    ("openinference.", 2),
    ("opentelemetry.instrumentation.langchain", 4),
    ("opentelemetry.instrumentation.llamaindex", 4),
    ("opentelemetry.instrumentation.crewai", 4),
    ("opentelemetry.instrumentation.litellm", 4),
    ("opentelemetry.instrumentation.", 3),
)
"""Who is best informed of a call, by the scope's first words; the first that fits. The
provider's own SDK, the official instrumentation of one, OpenInference, OpenLLMetry,
and last a framework, which is also what a scope that is not named here ranks as."""
_FRAMEWORK: Final = 4


@dataclass(frozen=True, eq=False)
class Telling:
    """One span's word. Two that have the same key are made one by `told_once`."""

    entry: Entry
    said: Reader

    @cached_property
    def key(self) -> Key:
        return self.said["trace_id"], self.said["span_id"]

    @cached_property
    def parent_key(self) -> Key | None:
        """None for a root."""
        parent = self.said["parent_span_id"]
        return (self.said["trace_id"], parent) if parent else None

    @cached_property
    def is_tool(self) -> bool:
        return self.said["kind"] == "tool"

    @cached_property
    def scope(self) -> str:
        return self.said["scope"]

    @cached_property
    def answer(self) -> str:
        """What the provider, or the model, called what it gave; empty if not told."""
        return self.said["tool_call_id" if self.is_tool else "response_id"]

    @cached_property
    def has_own_id(self) -> bool:
        """Whether its id may be one that nobody else tells."""
        return not self.answer or self.scope.startswith(OWN_IDS)

    @cached_property
    def end_us(self) -> int:
        return self.entry.end_us

    @cached_property
    def start_us(self) -> int:
        return self.entry.end_us - int(self.said["duration_us"])

    @cached_property
    def prompt_tokens(self) -> int:
        return sum(int(self.said[name]) for name in PROMPT_TOKENS)

    @cached_property
    def completion_tokens(self) -> int:
        return sum(self.said.tokens[6:])

    @cached_property
    def is_counted(self) -> bool:
        """Whether it counts as a call, of a model or of a tool."""
        return self.said["tool_calls" if self.is_tool else "calls"] != "0"

    @cached_property
    def has_usage(self) -> bool:
        """Whether it tells tokens that can be believed."""
        return (
            self.said["cost_state"] not in ("", "no_usage")
            and self.said["cost_reason"] != "invalid_usage"
        )

    @cached_property
    def place(self) -> tuple[str, ...]:
        """What calls that nobody named must have in common to be one call."""
        if self.is_tool:
            return (self.said["trace_id"], self.said["tool_name"])
        if self.parent_key:
            return (*self.parent_key, self.said["model"])
        return (self.said["service"], self.said["environment"], self.said["model"])

    @cached_property
    def run_evidence(self) -> int:
        """How well its run is known: by its tags, a conversation, its trace, not."""
        run_id = self.said["run_id"]
        if run_id == self.said["trace_id"]:
            return 1 if self.parent_key else 0
        return 2 if run_id == self.said["conversation_id"] else 3

    @cached_property
    def rank(self) -> tuple[object, ...]:
        """Least for the best informed of several tellings of one model call; of equals
        it is the innermost."""
        emitter = next(
            (rank for words, rank in _RANKS if self.scope.startswith(words)), _FRAMEWORK
        )
        is_partial = "input_missing" in self.said["flags"]
        return (
            not self.has_usage,
            not self.is_counted,
            is_partial,
            emitter,
            int(self.said["duration_us"]),
            self.key,
            self.said.fields,
        )


def told_once(tellings: Iterable[Telling]) -> dict[Key, Telling]:
    """The best telling of each span: some arrive twice."""
    best: dict[Key, Telling] = {}
    for telling in tellings:
        known = best.get(telling.key)
        if known is None or telling.rank < known.rank:
            best[telling.key] = telling
    return best

