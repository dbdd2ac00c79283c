"""What the watch reads of an entry of the ledger."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final, NamedTuple

from farthing.semconv import FINGERPRINT, STEP_FIELDS

_REPLY_FIELDS: Final = ("text_hash", "text_norm_hash", "user_turn")
TAGS: Final = (
    "task_type", "business_unit", "team", "user", "service", "environment",
)  # fmt: skip


class Entry(NamedTuple):
    """A row of sql/entries.sql, whose columns these are, in their order; by that, what
    comes first in a run sorts first, and a correction behind its span.

    `at_us` is when a call began; of a call of an agent, when it ended. `handed` is what
    a model call says of tool results, an object of JSON, or empty; `tags` the values of
    TAGS, a list of JSON. The fingerprints are those of `STEP_FIELDS`, which a tool call
    has, and of a reply.
    """

    run_id: str
    at_us: int
    trace_id: str
    span_id: str
    is_correction: bool
    is_double: bool
    calls: int
    cost_usd: str
    kind: str
    agent: str
    tool_name: str
    tool_call_id: str
    error_type: str
    http_status: str
    input: int
    output: int
    is_unpriced: bool
    handed: str
    tags: str
    load: str
    args_hash: str
    args_norm_hash: str
    args_len: str
    args_simhash: str
    result_hash: str
    result_norm_hash: str
    result_shape_hash: str
    result_len: str
    result_simhash: str
    empty: str
    error: str
    err_sig_hash: str
    retryable: str
    text_hash: str
    text_norm_hash: str
    user_turn: str


@lru_cache(maxsize=1024)
def tag_values(tags: str) -> tuple[str, ...]:
    """The values of TAGS, from an entry's `tags`."""
    return tuple(json.loads(tags))


TOLD: Final = {
    "fingerprints": ",\n    ".join(
        f"a['{FINGERPRINT}{name}']" for name in (*STEP_FIELDS, *_REPLY_FIELDS)
    ),
    "tags": ", ".join(TAGS),
}
"""What is filled into sql/entries.sql."""
