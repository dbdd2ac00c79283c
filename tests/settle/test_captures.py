"""What the captures tell, counted once, against what the provider billed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from farthing.collector.settle.find import Finder
from tests.settle.conftest import Book
from tests.settle.spans import messages

# Tokens of a call: input, cache read, written for 5 minutes, for an hour, audio in,
# output, reasoning, audio out. What an emitter does not tell is in the bucket that it
# is a part of.
CHAT = (96, 1024, 64, 0, 16, 164, 128, 8)
RESPONSE = (112, 1024, 64, 0, 0, 172, 128, 0)
EMBEDDING = (8, 0, 0, 0, 0, 0, 0, 0)
MESSAGE = (50, 2000, 500, 200, 0, 210, 90, 0)
STREAM = (50, 2000, 500, 200, 0, 300, 0, 0)
OPENLLMETRY = (176, 1024, 0, 0, 0, 172, 128, 0)
OPENLLMETRY_STREAM = (176, 1024, 0, 0, 0, 300, 0, 0)
# Calls without usage, tool calls, errors, and the other calls.
BILLED = {
    "official-openai": (1, 0, 1, 6 * [CHAT] + 2 * [RESPONSE] + [EMBEDDING]),
    "official-anthropic": (0, 0, 1, 3 * [MESSAGE] + 3 * [STREAM]),
    "official-langchain": (0, 1, 0, 3 * [CHAT]),
    "official-openai-agents": (0, 2, 0, 2 * [CHAT] + 2 * [RESPONSE]),
    "openllmetry-openai": (0, 0, 0, 4 * [OPENLLMETRY] + [OPENLLMETRY_STREAM]),
    "openllmetry-anthropic": (0, 0, 0, 3 * [MESSAGE] + [STREAM]),
    "openinference-openai": (0, 0, 0, 4 * [CHAT]),
}
COLUMNS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "input_audio_tokens", "output_tokens", "reasoning_tokens",
    "output_audio_tokens",
)  # fmt: skip


@pytest.mark.parametrize("capture", BILLED)
def test_each_call_of_a_capture_counts_once(book: Book, capture: str) -> None:
    """The ledger has exactly the calls and tokens that the provider billed."""
    without_usage, tools, errors, calls = BILLED[capture]
    book.load_requests(messages(capture))
    totals = book.totals()
    counts = [totals.get(name, 0) for name in ("calls", "tool_calls", "errors")]
    assert counts == [len(calls) + without_usage, tools, errors]
    tokens = [totals.get(name, 0) for name in COLUMNS]
    assert tokens == [sum(bucket) for bucket in zip(*calls, strict=True)]


def test_the_same_call_costs_the_same_through_every_instrument(book: Book) -> None:
    """A call of Anthropic's costs 0.008325 USD, to the last digit, whether the official
    instrumentation or OpenLLMetry tells of it beside the SDK."""
    for capture, calls in (("official-anthropic", 6), ("openllmetry-anthropic", 4)):
        book.clear()
        book.load_requests(messages(capture))
        assert book.totals()["cost_usd"] == calls * Decimal("0.008325")


@pytest.mark.parametrize("capture", ["official-openai", "openinference-openai"])
def test_nothing_is_read_where_each_call_is_told_once(book: Book, capture: str) -> None:
    """Of an emitter that tells each call once no entry is looked at again."""
    name = book.load_requests(messages(capture))
    assert list(Finder(book.store).entries(name)) == []


def test_what_was_told_twice_stays_visible(book: Book) -> None:
    """A duplicate keeps its own entry, beside a correction that names the owner."""
    book.load_requests(messages("openllmetry-anthropic"))
    rows = book.store.rows(
        "SELECT owner.dialect AS owner, duplicate.dialect AS duplicate, count() AS n"
        " FROM spans AS correction"
        " JOIN spans AS duplicate USING (trace_id, span_id)"
        " JOIN spans AS owner ON owner.trace_id = correction.owner_trace_id"
        " AND owner.span_id = correction.owner_span_id"
        " WHERE correction.reason = 'duplicate' AND duplicate.entry = 'span'"
        " AND owner.entry = 'span' GROUP BY ALL"
    )
    assert rows == [{"owner": "anthropic_sdk", "duplicate": "openllmetry", "n": 4}]
