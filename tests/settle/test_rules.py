"""Which spans are one call, who owns it, and what the others add: one test per rule."""

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
    OPENINFERENCE,
    OPENLLMETRY,
    Told,
    chat,
    native,
    openinference,
    tool,
)

COST = Decimal("0.008325")
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
    """(a), (c) Two answers told by one emitter are two calls; what sums them is none."""
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
        Told(NATIVE, 2, parent=9, start_ms=1500, end_ms=2000, attributes=native("msg_1")),
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
    """(e) An exporter that batches anew after a timeout sends a span in two requests."""
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


def test_a_failed_span_beside_a_good_one_is_no_failure(book: Book) -> None:
    """An attempt that the framework made good is neither an error nor unknown."""
    book.load(
        Told("pydantic-ai", 1, attributes=chat("msg_1")),
        Told(OFFICIAL, 2, parent=1, end_ms=100, failed=True, attributes={
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5",
            "error.type": "ValueError"}),
        Told(OFFICIAL, 3, parent=1, start_ms=150, attributes=chat("msg_1")),
    )  # fmt: skip
    totals = book.totals()
    assert (totals["calls"], totals.get("errors", 0)) == (1, 0)


def test_a_span_with_usage_owns_the_call_of_one_without(book: Book) -> None:
    """Whoever is best informed in general: without usage it knows less than others."""
    silent = chat("msg_1")
    for name in [name for name in silent if name.startswith("gen_ai.usage.")]:
        del silent[name]
    book.load(
        Told(NATIVE, 1, attributes=silent),
        Told(OPENLLMETRY, 2, trace=2, attributes=chat("msg_1")),
    )
    assert [(r["cost_state"], r["calls"]) for r in book.by("cost_state")] == [
        ("priced", 1)
    ]


def test_gaps_of_the_owner_are_filled_and_the_call_is_priced_again(book: Book) -> None:
    """The official span, which owns the call, leaves out what pydantic-ai knows: the
    lifetimes of cache writes, reasoning, the agent."""
    informed = chat(
        "msg_1",
        **{
            "gen_ai.usage.details.ephemeral_1h_input_tokens": 200,
            "gen_ai.usage.reasoning_tokens": 90,
            "gen_ai.agent.name": "helper",
        },
    )
    book.load(
        Told("pydantic-ai", 1, attributes=informed),
        Told(OFFICIAL, 2, parent=1, start_ms=1, end_ms=999, attributes=chat("msg_1")),
    )
    [row] = book.by("agent", "scope")
    assert (row["agent"], row["scope"]) == ("helper", OFFICIAL)
    tokens = [row[f"{name}_tokens"] for name in (
        "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning",
    )]  # fmt: skip
    assert tokens == [50, 2000, 500, 200, 210, 90]
    assert row["cost_usd"] == COST
    assert [(c["reason"], c["sign"]) for c in book.corrections()] == [
        ("duplicate", -1),
        ("completed", -1),
        ("completed", 1),
    ]


def test_buckets_are_filled_only_where_the_sums_agree(book: Book) -> None:
    """What another says of other sums is not of these."""
    other = chat(
        "msg_1",
        **{
            "gen_ai.usage.input_tokens": 2760,
            "gen_ai.usage.details.ephemeral_1h_input_tokens": 200,
        },
    )
    book.load(
        Told("pydantic-ai", 1, attributes=other),
        Told(OFFICIAL, 2, parent=1, attributes=chat("msg_1")),
    )
    totals = book.totals()
    assert (totals["cache_write_5m_tokens"], totals["input_tokens"]) == (700, 50)
    assert "cache_write_1h_tokens" not in totals


def test_the_money_follows_the_tags(book: Book) -> None:
    """A sibling without tags in another trace leaves no money in a run of its own."""
    book.load(Told(NATIVE, 2, trace=2, attributes=native("msg_1")))
    assert [row["run_id"] for row in book.by("run_id")] == [f"{2:032x}"]
    book.load(Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1"), resource=TASK))
    for table in ("spans", "runs"):
        [row] = book.by("run_id", table=table)
        assert (row["run_id"], row["calls"], row["cost_usd"]) == ("ticket-7", 1, COST)
    assert [row["task_type"] for row in book.by("task_type", table="spend_hourly")] == [
        "support"
    ]


def test_an_owner_that_comes_later_takes_over(book: Book) -> None:
    """The call is corrected to what it is once the best-informed span is there."""
    costs = []
    for told in (
        Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1")),
        Told(OFFICIAL, 2, trace=2, attributes=chat("msg_1")),
        Told(NATIVE, 3, trace=3, attributes=native("msg_1")),
    ):
        book.load(told)
        costs.append(book.totals()["cost_usd"])
    assert book.totals()["calls"] == 1
    assert costs == [Decimal("0.007875"), Decimal("0.007875"), COST]


def test_a_batch_that_is_settled_again_changes_nothing(book: Book) -> None:
    """After a failure the loader repeats a batch, load and settling."""
    name = book.load(
        Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1"), resource=TASK),
        Told(NATIVE, 3, trace=3, attributes=native("msg_1")),
    )
    totals, corrections = book.totals(), book.corrections()
    book.settler(name)
    assert (book.totals(), book.corrections()) == (totals, corrections)


def test_a_roll_up_that_a_crash_cut_off_is_made_good(book: Book) -> None:
    """The repeated batch completes what its correction had not reached."""
    spans = (
        Told(OPENLLMETRY, 1, trace=1, attributes=chat("msg_1")),
        Told(NATIVE, 3, trace=3, attributes=native("msg_1")),
    )
    book.store.command("DETACH TABLE runs_view")
    try:
        name = book.load(*spans)
    finally:
        book.store.command("ATTACH TABLE runs_view")
    from tests.settle.spans import request  # noqa: PLC0415

    book.ledger.load(name, [request(spans)])
    book.settler(name)
    assert book.totals()["calls"] == 1
