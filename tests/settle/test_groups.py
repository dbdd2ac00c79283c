"""Which spans are one call: a test or more for each rule of docs/counted-once.md."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.settle.conftest import Book
from tests.settle.spans import (
    LANGCHAIN,
    LITELLM,
    MCP,
    NATIVE,
    OFFICIAL,
    OFFICIAL_OPENAI,
    OPENINFERENCE,
    OPENLLMETRY,
    Told,
    Value,
    chat,
    native,
    openinference,
    tool,
)

COST = Decimal("0.008325")
LESS = Decimal("0.007875")
"""Where nobody tells the lifetimes of cache writes."""
TASK = {"farthing.task.id": "ticket-7", "farthing.task.type": "support"}


def test_a_call_inside_a_call_is_the_same_one(book: Book) -> None:
    """(a) An inference span inside inference spans adds nothing: the SDK's owns it."""
    book.load(
        Told(LANGCHAIN, 1, attributes=chat()),
        Told(OFFICIAL, 2, parent=1, start_ms=1, end_ms=999, attributes=chat("msg_1")),
        Told(NATIVE, 3, parent=2, start_ms=2, end_ms=998, attributes=native("msg_1")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (1, COST)
    assert [(c["reason"], int(c["owner_span_id"], 16)) for c in book.corrections()] == [
        ("duplicate", 3),
        ("duplicate", 3),
    ]


def test_a_parent_that_sums_its_children_is_no_call(book: Book) -> None:
    """(a), (c) Two answers of one emitter are two calls; what sums them is none."""
    summed = chat(
        **{"gen_ai.usage.input_tokens": 5500, "gen_ai.usage.output_tokens": 600}
    )
    book.load(
        Told("my.framework", 1, attributes=summed),
        Told(NATIVE, 2, parent=1, end_ms=400, attributes=native("msg_1")),
        Told(NATIVE, 3, parent=1, start_ms=500, end_ms=990, attributes=native("msg_2")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (2, 2 * COST)


def test_a_retry_is_a_call_of_its_own(book: Book) -> None:
    """(c) Each of two answers inside one span is billed, by whoever else it is told."""
    book.load(
        Told(LANGCHAIN, 1, attributes=chat("msg_2")),
        Told(OFFICIAL, 2, parent=1, end_ms=400, attributes=chat("msg_1")),
        Told(NATIVE, 3, parent=2, end_ms=390, attributes=native("msg_1")),
        Told(OFFICIAL, 4, parent=1, start_ms=500, end_ms=990, attributes=chat("msg_2")),
        Told(NATIVE, 5, parent=4, start_ms=510, end_ms=980, attributes=native("msg_2")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (2, 2 * COST)


def test_a_look_up_inside_a_call_is_a_call_of_its_own(book: Book) -> None:
    """(a) A chat that embeds on its way, and one that asks a small model whether it
    may, cost what they cost: neither is the other's telling."""
    embedding: dict[str, Value] = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": 8,
    }
    check: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-nano",
        "gen_ai.usage.input_tokens": 200,
        "gen_ai.usage.output_tokens": 5,
    }
    book.load(
        Told(LANGCHAIN, 1, attributes=chat()),
        Told(OFFICIAL_OPENAI, 2, parent=1, end_ms=90, attributes=embedding),
        Told(OFFICIAL_OPENAI, 3, parent=1, end_ms=80, attributes=check),
        Told(OFFICIAL, 4, parent=1, start_ms=100, end_ms=999, attributes=chat("msg_1")),
    )
    beside = Decimal("0.00000016") + Decimal("0.000012")
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (3, LESS + beside)


def test_another_name_of_the_model_is_no_other_call(book: Book) -> None:
    """(a) A framework that names what it asked for, not who answered, and tells the
    same tokens, tells of the call inside it; so does one whose model nobody knows."""
    asked: dict[str, Value] = {
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.response.model": "claude-haiku-4-5",
    }
    unknown: dict[str, Value] = {
        "gen_ai.request.model": "our-deployment",
        "gen_ai.response.model": "our-deployment",
        "gen_ai.usage.input_tokens": 3000,
        "gen_ai.usage.output_tokens": 400,
    }
    book.load(
        Told(LANGCHAIN, 1, attributes=chat(**asked)),
        Told(OFFICIAL, 2, parent=1, end_ms=999, attributes=chat("msg_1")),
        Told(LANGCHAIN, 3, trace=2, attributes=chat(**unknown)),
        Told(OFFICIAL, 4, trace=2, parent=3, end_ms=999, attributes=chat("msg_2")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (2, 2 * LESS)


def test_an_attempt_that_was_given_up_stays_beside_the_one_that_was_answered(
    book: Book,
) -> None:
    """(a) Both are inside one span of a framework. The first may have been billed: its
    cost is not known, so totals say that they are a lower bound."""
    given_up: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "farthing.usage.state": "missing",
    }
    book.load(
        Told(LANGCHAIN, 1, attributes=chat()),
        Told(
            "farthing.instrumentation.anthropic",
            2,
            parent=1,
            end_ms=400,
            failed=True,
            attributes=given_up,
        ),
        Told(OFFICIAL, 3, parent=1, start_ms=410, end_ms=990, attributes=chat("msg_1")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (2, LESS)
    [unknown] = book.store.rows(
        "SELECT sum(calls) AS calls FROM spans WHERE cost_state = 'no_usage'"
    )
    assert unknown["calls"] == 1


def test_one_answer_told_in_two_traces_is_one_call(book: Book) -> None:
    """(b) Two emitters without a common parent are joined by the response id."""
    book.load(
        Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1")),
        Told(NATIVE, 2, trace=2, start_ms=1, end_ms=999, attributes=native("msg_1")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (1, COST)


def test_what_one_emitter_tells_apart_stays_apart(book: Book) -> None:
    """A stand-in that gives every answer the same id does not make all calls one."""
    book.load(
        *(Told(NATIVE, n, trace=n, attributes=native("msg_1")) for n in (1, 2, 3))
    )
    assert book.totals()["calls"] == 3
    assert book.corrections() == []


def test_calls_with_one_id_at_different_times_stay_apart(book: Book) -> None:
    """An id that comes again an hour later, from whomever, is another call's."""
    later = {"start_ms": 3_600_000, "end_ms": 3_601_000}
    book.load(
        Told(NATIVE, 1, trace=1, attributes=native("msg_1")),
        Told(OPENLLMETRY, 2, trace=2, attributes=chat("msg_1"), **later),  # type: ignore[arg-type]
    )
    assert book.totals()["calls"] == 2


@pytest.mark.parametrize("parent", [0, 9])
def test_an_early_closed_stream_beside_a_native_one_is_one_call(
    book: Book, parent: int
) -> None:
    """(d) Without an id: the same place, model, time and prompt; the placeholder of one
    output token is not believed where the SDK's own span is honest."""
    told = openinference(**{"llm.token_count.completion": 1})
    said = native("msg_1")
    del said["gen_ai.usage.output_tokens"], said["gen_ai.usage.reasoning.output_tokens"]
    traces = (1, 1) if parent else (1, 2)
    book.load(
        Told(OPENINFERENCE, 1, trace=traces[0], parent=parent, attributes=told),
        Told(NATIVE, 2, trace=traces[1], parent=parent, start_ms=2, attributes=said),
    )
    totals = book.totals()
    assert (totals["calls"], totals["input_tokens"]) == (1, 50)
    assert "output_tokens" not in totals


def test_parallel_calls_without_ids_are_matched_one_to_one(book: Book) -> None:
    """(d) Five equal calls at once, each told by two emitters, are five."""
    spans = [
        told
        for n in range(5)
        for told in (
            Told(
                OPENINFERENCE,
                10 + n,
                parent=9,
                start_ms=n * 20,
                attributes=openinference(),
            ),
            Told(
                NATIVE,
                20 + n,
                parent=9,
                start_ms=n * 20 + 3,
                attributes=native(f"msg_{n}"),
            ),
        )
    ]
    book.load(*spans)
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (5, 5 * COST)


@pytest.mark.parametrize(
    "other",
    [
        Told(NATIVE, 2, parent=9, start_ms=1500, end_ms=2000, attributes=native("a")),
        Told(NATIVE, 2, parent=8, attributes=native("msg_1")),
        Told(
            NATIVE, 2, parent=9,
            attributes=native("msg_1", **{"gen_ai.usage.input_tokens": 2751}),
        ),
        Told(
            NATIVE, 2, parent=9,
            attributes=native("msg_1", **{"gen_ai.response.model": "claude-opus-4-5"}),
        ),
    ],
    ids=["later", "elsewhere", "another prompt", "another model"],
)  # fmt: skip
def test_calls_without_an_id_that_differ_are_two(book: Book, other: Told) -> None:
    """(d) Time, parent, prompt and model must all agree."""
    book.load(Told(OPENINFERENCE, 1, parent=9, attributes=openinference()), other)
    assert book.totals()["calls"] == 2


def test_an_id_that_the_emitter_made_up_does_not_tell_two_calls_apart(
    book: Book,
) -> None:
    """(d) litellm gives answers of other providers an id of its own."""
    book.load(
        Told(LITELLM, 1, parent=9, attributes=chat("chatcmpl-0b1e")),
        Told(NATIVE, 2, parent=9, start_ms=1, end_ms=999, attributes=native("msg_1")),
    )
    assert (book.totals()["calls"], book.totals()["cost_usd"]) == (1, COST)


def test_a_span_that_arrives_twice_counts_once(book: Book) -> None:
    """(e) An exporter that batches anew after a timeout sends a span twice."""
    span = Told(NATIVE, 1, attributes=native("msg_1"))
    book.load(span)
    book.load(span, Told(NATIVE, 2, trace=2, attributes=native("msg_2")))
    book.load(span)
    assert book.totals()["calls"] == 2
    assert [c["reason"] for c in book.corrections()] == ["repeated", "repeated"]


def test_a_span_that_is_twice_in_one_request_counts_once(book: Book) -> None:
    """(e) Also within one batch."""
    span = Told(NATIVE, 1, attributes=native("msg_1"))
    book.load(span, span, span)
    assert book.totals()["calls"] == 1


def test_one_tool_call_told_by_three_is_one(book: Book) -> None:
    """(g) The framework's span counts, not those of the MCP client and server in it."""
    named = {"gen_ai.tool.name": "get_weather"}
    book.load(
        Told(LANGCHAIN, 1, attributes=tool("call_1")),
        Told(MCP, 2, parent=1, start_ms=10, end_ms=990, attributes=tool()),
        Told("mcp.server", 3, parent=2, start_ms=20, end_ms=980, attributes=tool()),
        Told(
            "mcp.server", 4, trace=2, start_ms=20, end_ms=980, attributes=tool(**named)
        ),
    )
    assert book.totals()["tool_calls"] == 2
    assert {int(c["owner_span_id"], 16) for c in book.corrections()} == {1}


@pytest.mark.parametrize("call_id", ["", "call_1"])
def test_tool_spans_with_a_gap_between_them_are_joined(
    book: Book, call_id: str
) -> None:
    """(g) Where the span between is not told: by the call's id, or by name and time."""
    book.load(
        Told(LANGCHAIN, 1, attributes=tool("call_1")),
        Told(
            "mcp.server", 3, parent=2, start_ms=20, end_ms=980, attributes=tool(call_id)
        ),
    )
    assert book.totals()["tool_calls"] == 1


def test_other_tools_inside_a_tool_are_calls_of_their_own(book: Book) -> None:
    """(g) A tool that calls another tool, and one that calls itself, made two calls."""
    other = tool(**{"gen_ai.tool.name": "get_map"})
    book.load(
        Told(LANGCHAIN, 1, attributes=tool("call_1")),
        Told("my.tools", 2, parent=1, start_ms=10, end_ms=500, attributes=other),
        Told(
            LANGCHAIN, 3, parent=1, start_ms=510, end_ms=900, attributes=tool("call_2")
        ),
    )
    assert book.totals()["tool_calls"] == 3
