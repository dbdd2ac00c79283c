"""What the watch reads of an entry of the ledger."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from farthing.semconv import FINGERPRINT, STEP_FIELDS

REPLY_FIELDS: Final = ("text_hash", "text_norm_hash", "user_turn")
TAGS: Final = (
    "task_type", "business_unit", "team", "user", "service", "environment",
)  # fmt: skip


class Entry(NamedTuple):
    """A row of sql/entries.sql, whose columns these are, in their order.

    `at_us` is when a call began; of a call of an agent, when it ended. `told` has the
    fingerprints of a tool call, in the order of `STEP_FIELDS`, or of a reply, in that
    of `REPLY_FIELDS`; `handed` what a model call says of tool results.
    """

    run_id: str
    at_us: int
    is_span: bool
    is_double: bool
    trace_id: str
    span_id: str
    kind: str
    agent: str
    tool_name: str
    tool_call_id: str
    error_type: str
    http_status: str
    calls: int
    input: int
    output: int
    cost_usd: str
    is_unpriced: bool
    told: list[str]
    handed: dict[str, str]
    tags: list[str]
    load: str


def columns(names: tuple[str, ...]) -> str:
    """Fingerprints of these names, as SQL finds them in the attributes `a`."""
    return ", ".join(f"a['{FINGERPRINT}{name}']" for name in names)


TOLD: Final[dict[str, Any]] = {
    "of_tools": columns(STEP_FIELDS),
    "of_replies": columns(REPLY_FIELDS),
    "tags": ", ".join(TAGS),
}
"""What is filled into sql/entries.sql."""
