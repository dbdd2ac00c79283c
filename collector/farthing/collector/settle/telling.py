"""What one span tells of a call, as far as it matters for who owns the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from farthing.collector.settle.entries import TOKENS, Columns, Entry

Key = tuple[str, str]
"""Trace id and span id."""

OWN_IDS: Final = (
    "farthing.instrumentation.litellm",
    "opentelemetry.instrumentation.litellm",
    "openinference.instrumentation.litellm",
    "litellm",
)
"""Scopes whose response ids may be their own, not the provider's."""

_RANKS: Final[Sequence[tuple[str, int]]] = (
    ("com.anthropic.sdk.", 0),
    ("farthing.instrumentation.", 4),
    ("farthing.instrumentation", 1),
    ("com.anthropic.claude_code.events", 0),
    ("com.anthropic.claude_code", 1),
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

_NOT_BELIEVED: Final = ("invalid_usage", "unknown_operation")

WHOSE: Final = (
    "run_id", "task_type", "step", "business_unit", "team", "user", "conversation_id",
    "agent", "service", "environment",
)  # fmt: skip
"""For whom a call was made."""
_READ: Final = (
    "trace_id", "span_id", "parent_span_id", "kind", "scope", "response_id",
    "tool_call_id", "calls", "tool_calls", "cost_state", "cost_reason", "duration_us",
    "flags",
)  # fmt: skip


class Telling:
    """One span's word: an entry as it was told, its columns by name, and what is asked
    of it often. Two that have the same key are made one by `told_once`.

    Attributes:
        key, parent_key: The span and its parent; None for a root.
        answer: What the provider, or the model, called what it gave; empty if not told.
        has_own_id: Whether its id may be one that nobody else tells.
        is_counted: Whether it counts as a call, of a model or of a tool.
        has_usage: Whether it tells tokens that can be believed.
        whose: The columns of WHOSE.
    """

    __slots__ = (
        "_columns", "answer", "cost_reason", "duration_us", "end_us", "entry", "flags",
        "has_own_id", "has_usage", "is_counted", "is_tool", "key", "kind", "parent_key",
        "scope", "start_us", "tokens", "whose",
    )  # fmt: skip

    def __init__(self, entry: Entry, columns: Columns) -> None:
        (
            trace_id, span_id, parent, self.kind, self.scope, response_id, tool_call_id,
            calls, tool_calls, state, self.cost_reason, duration_us, self.flags,
        ) = columns.pick(_READ, entry.fields)  # fmt: skip
        self.entry = entry
        self._columns = columns
        self.key: Key = (trace_id, span_id)
        self.parent_key: Key | None = (trace_id, parent) if parent else None
        self.is_tool = self.kind == "tool"
        self.answer = tool_call_id if self.is_tool else response_id
        self.has_own_id = not self.answer or self.scope.startswith(OWN_IDS)
        self.is_counted = (tool_calls if self.is_tool else calls) != "0"
        self.has_usage = (
            state not in ("", "no_usage") and self.cost_reason not in _NOT_BELIEVED
        )
        self.end_us = entry.end_us
        self.duration_us = int(duration_us)
        self.start_us = entry.end_us - self.duration_us
        self.tokens = tuple(map(int, columns.pick(TOKENS, entry.fields)))
        self.whose = columns.pick(WHOSE, entry.fields)

    def __getitem__(self, name: str) -> str:
        """A column as the store writes it."""
        return self._columns.value(name, self.entry.fields)

    @property
    def known_model(self) -> str:
        """Its model as the price list calls it; empty where that does not know it."""
        return self["model"] if self["model_match"] else ""

    @property
    def prompt_tokens(self) -> int:
        return sum(self.tokens[:6])

    @property
    def completion_tokens(self) -> int:
        return sum(self.tokens[6:])

    @property
    def place(self) -> tuple[str, ...]:
        """What calls that nobody named must have in common to be one call."""
        if self.is_tool:
            return (self.key[0], self["tool_name"])
        if self.parent_key:
            return (*self.parent_key, self["model"])
        named = (self[name] for name in ("service", "environment", "model"))
        return (*named, str(self.prompt_tokens))

    @property
    def run_evidence(self) -> int:
        """How well its run is known: by its tags, a conversation, its trace, not."""
        run_id = self.whose[0]
        if run_id == self.key[0]:
            return 1 if self.parent_key else 0
        return 2 if run_id == self["conversation_id"] else 3

    @property
    def finality(self) -> tuple[object, ...]:
        """Least for the last word of several on one span, some of which may have been
        told while it was under way."""
        return (
            not self.has_usage,
            not self.is_counted,
            "input_missing" in self.flags,
            -self.duration_us,
            -sum(self.tokens),
            self.entry.fields,
        )

    @property
    def rank(self) -> tuple[object, ...]:
        """Least for the best informed of several tellings of one model call; of equals
        it is the innermost."""
        return (
            not self.has_usage,
            not self.is_counted,
            "input_missing" in self.flags,
            _rank_of(self.scope),
            self.duration_us,
            self.key,
            self.entry.fields,
        )


@cache
def _rank_of(scope: str) -> int:
    ranks = (rank for words, rank in _RANKS if scope.startswith(words))
    return next(ranks, _FRAMEWORK)


def told_once(tellings: Iterable[Telling]) -> dict[Key, Telling]:
    """The last word on each span: some arrive twice."""
    best: dict[Key, Telling] = {}
    for telling in tellings:
        known = best.setdefault(telling.key, telling)
        if known is not telling and telling.finality < known.finality:
            best[telling.key] = telling
    return best
