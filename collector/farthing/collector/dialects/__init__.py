"""What each emitter means by its attributes, as data: one file per dialect.

`Dialect.attributes` maps a field of `FIELDS` to the attribute names that may hold it,
the first that is not empty counts. The store compiles all dialects into one decoding
statement; a dialect is chosen by the instrumentation scope of a span, never by its
schema URL, which does not tell emitters apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal, cast

from farthing import plugins

NUMBERS: Final = (
    "input_total",
    "output_total",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "cache_audio",
    "output_audio",
    "web_searches",
    "tool_input",
    "compaction_input",
    "compaction_output",
)
"""Token and use counts: integers, whatever type the emitter gave them."""

TEXTS: Final = (
    "operation",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "conversation_id",
    "agent",
    "tool_name",
    "tool_call_id",
    "host",
    "error_type",
    "service_tier",
    "request_tier",
    "speed",
    "batch",
    "geo",
    "region",
    "deployment",
    "task_type",
    "task_id",
    "step",
    "business_unit",
    "team",
    "user",
    "finish_reasons",
    "claimed_usd",
    "claim_currency",
    "first_chunk_s",
    "first_chunk_ms",
    "streamed",
    "usage_state",
    "total_tokens",
)
"""Everything else, read as text; an array is its elements joined by commas."""

FIELDS: Final = (*NUMBERS, *TEXTS)

Kind = Literal["model_call", "embedding", "tool", "agent", "retrieval", "other"]


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Where input tokens leave out the cached ones.

    `below` is the first scope version that includes them ('' for never), `providers`
    limits the rule to calls of these providers (as emitted; () for all), `unless_told`
    names attributes whose presence shows that the emitter is a later one. Streams of
    models whose id contains `unless_streamed` ('' for none) include them.
    """

    below: str = ""
    providers: tuple[str, ...] = ()
    unless_told: tuple[str, ...] = ()
    unless_streamed: str = ""


IN_USAGE: Final = (
    "id",
    "service_tier",
    "speed",
    "inference_geo",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cached_tokens",
    "cache_read",
    "cache_creation",
    "reasoning",
    "reasoning_tokens",
    "web_search_requests",
)
"""What is read of a usage object that an emitter tells as the text of an attribute.
To `attributes` each is an attribute `usage:<name>`; nothing else of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one family of emitters tells of a model call.

    - `scopes`: instrumentation scope names; a trailing `*` matches any ending.
    - `attributes`: field -> attribute names, the first that is not empty counts.
    - `answers`: attributes that hold the provider's answer as JSON: its id, its tier
      and its `usage` are read, see IN_USAGE.
    - `usages`: attributes that hold a usage object, as JSON or as Python prints it, and
      the key of the JSON that it stands under ('' where it is all of the text).
    - `operations`: what the field `operation` says -> kind of span.
    - `span_names`: span name -> operation, where no attribute says it.
    - `exclusive`: where the total of input tokens leaves out cached ones.
    - `reasoning_apart`: providers (as emitted) whose output leaves out the reasoning.
    - `zeros_untold`: zeros alone are what it tells of an answer whose usage it was not
      told, as anybody's of a stream are.
    - `estimates`: the cost that it tells is its own estimate, not what was charged.
    - `private_names`: span names carry content; the operation is stored instead.
    - `evidence`: where it is known that it does or does not.
    """

    name: str
    scopes: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    answers: tuple[str, ...] = ()
    usages: tuple[tuple[str, str], ...] = ()
    operations: Mapping[str, Kind] = field(default_factory=dict)
    span_names: Mapping[str, str] = field(default_factory=dict)
    exclusive: tuple[Exclusive, ...] = ()
    reasoning_apart: tuple[str, ...] = ()
    zeros_untold: bool = False
    estimates: bool = False
    private_names: bool = False
    evidence: str = ""


OPERATIONS: Final[Mapping[str, Kind]] = {
    "chat": "model_call",
    "text_completion": "model_call",
    "generate_content": "model_call",
    "completion": "model_call",
    "chat.completions": "model_call",
    "chat.streaming_completions": "model_call",
    "text.completions": "model_call",
    "text.streaming_completions": "model_call",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "invoke_workflow": "agent",
    "create_agent": "other",
    "fetch_response": "other",
    "retrieval": "retrieval",
    "rerank": "other",
}
"""The official operation names, and those of Semantic Kernel before 1.38, which has no
scope of its own to know it by; a dialect's own add to them."""


@cache
def all_dialects() -> tuple[Dialect, ...]:
    """Every dialect, ours and those of entry points, sorted by name."""
    loaded = (
        plugins.load(__name__, name, "DIALECT") for name in plugins.names(__name__)
    )
    return tuple(cast("Dialect", dialect) for dialect in loaded)


@cache
def estimating() -> frozenset[str]:
    """Names of the dialects that tell estimates, which never count as a cost."""
    return frozenset(dialect.name for dialect in all_dialects() if dialect.estimates)
