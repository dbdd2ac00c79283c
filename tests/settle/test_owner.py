"""Who owns a call, what the others add, and how the ledger comes to say so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from farthing.collector.settle.entries import TOKENS
from tests.settle.conftest import Book
from tests.settle.spans import (
    NATIVE,
    OFFICIAL,
    OFFICIAL_OPENAI,
    OPENINFERENCE,
    OPENLLMETRY,
    Attributes,
    Told,
    chat,
    native,
    openinference,
    request,
)

COST = Decimal("0.008325")
TASK = {"farthing.task.id": "ticket-7", "farthing.task.type": "support"}


def test_a_failed_span_beside_a_good_one_is_no_failure(book: Book) -> None:
    """An attempt that the framework made good is neither an error nor unknown."""
    failed = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "error.type": "ValueError",
    }
    book.load(
        Told("pydantic-ai", 1, attributes=chat("msg_1")),
        Told(OFFICIAL, 2, parent=1, end_ms=9, failed=True, attributes=failed),
        Told(OFFICIAL, 3, parent=1, start_ms=150, attributes=chat("msg_1")),
    )
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
    known: Attributes = {
        "gen_ai.usage.details.ephemeral_1h_input_tokens": 200,
        "gen_ai.usage.reasoning_tokens": 90,
        "gen_ai.agent.name": "helper",
    }
    informed = chat("msg_1", **known)
    book.load(
        Told("pydantic-ai", 1, attributes=informed),
        Told(OFFICIAL, 2, parent=1, start_ms=1, end_ms=999, attributes=chat("msg_1")),
    )
    [row] = book.by("agent", "scope")
    assert (row["agent"], row["scope"]) == ("helper", OFFICIAL)
    buckets = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    tokens = [row[f"{name}_tokens"] for name in (*buckets, "reasoning")]
    assert tokens == [50, 2000, 500, 200, 210, 90]
    assert row["cost_usd"] == COST
    assert [(c["reason"], c["sign"]) for c in book.corrections()] == [
        ("duplicate", -1),
        ("completed", -1),
        ("completed", 1),
    ]


@pytest.mark.parametrize("is_last_first", [False, True])
def test_of_a_span_that_is_told_on_its_way_the_last_word_counts(
    book: Book, is_last_first: bool
) -> None:
    """In whatever order its snapshots arrive."""
    early: Attributes = {**chat("msg_1"), "gen_ai.usage.output_tokens": 100}
    told = [
        Told(OFFICIAL, 1, end_ms=500, attributes=early),
        Told(OFFICIAL, 1, end_ms=900, attributes=chat("msg_1")),
    ]
    for one in reversed(told) if is_last_first else told:
        book.load(one)
    assert book.totals()["output_tokens"] == 300


def test_an_estimate_is_not_lent_as_what_was_charged(book: Book) -> None:
    """pydantic-ai's cost comes from a price list of its own; its reasoning is told."""
    said: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": "openai/gpt-5",
        "gen_ai.response.id": "gen-1",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 300,
    }
    more: Attributes = {
        "gen_ai.usage.details.reasoning_tokens": 90,
        "operation.cost": 0.5,
    }
    book.load(
        Told("pydantic-ai", 1, attributes={**said, **more}),
        Told(OFFICIAL_OPENAI, 2, parent=1, start_ms=1, end_ms=999, attributes=said),
    )
    [row] = book.by("scope")
    assert (row["scope"], row["reasoning_tokens"]) == (OFFICIAL_OPENAI, 90)
    assert row["cost_usd"] == Decimal("0.0045")


def test_a_parent_that_sums_its_children_lends_them_nothing(book: Book) -> None:
    """The cost that it reports is that of all of them."""
    summed: Attributes = {
        "gen_ai.usage.input_tokens": 5500,
        "gen_ai.usage.cost.amount": 0.02,
    }
    book.load(
        Told("my.framework", 1, attributes=chat(**summed)),
        Told(OFFICIAL, 2, parent=1, end_ms=400, attributes=chat("msg_1")),
        Told(OFFICIAL, 3, parent=1, start_ms=500, attributes=chat("msg_2")),
    )
    totals = book.totals()
    assert (totals["calls"], totals.get("claimed_usd")) == (2, None)


def test_cache_writes_that_the_owner_hides_are_split_off(book: Book) -> None:
    """OpenLLMetry has OpenAI's cache writes in its input; a framework tells them, but
    not for how long."""
    said: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-5",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 300,
    }
    written = {**said, "gen_ai.usage.cache_write.input_tokens": 64}
    book.load(
        Told("my.framework", 1, attributes=written),
        Told("opentelemetry.instrumentation.openai.v1", 2, parent=1, attributes=said),
    )
    totals = book.totals()
    assert (totals["input_tokens"], totals["cache_write_5m_tokens"]) == (1136, 64)
    [row] = book.store.rows(
        "SELECT flags FROM spans WHERE reason = 'completed' AND calls > 0"
    )
    assert "ttl_assumed" in row["flags"]


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


def test_what_an_owner_was_lent_is_taken_back_when_it_was_not_its_own(
    book: Book,
) -> None:
    """A stream without an id is taken for a call of the same prompt that began a little
    later, until the span that it was told beside arrives."""
    tagged = openinference(**{"agent.name": "helper"})
    book.load(
        Told(OPENINFERENCE, 1, parent=9, attributes=tagged),
        Told(
            NATIVE, 2, parent=9, start_ms=300, end_ms=1300, attributes=native("msg_2")
        ),
    )
    assert [row["agent"] for row in book.by("agent")] == ["helper"]
    beside = Told(
        NATIVE, 3, parent=9, start_ms=1, end_ms=1001, attributes=native("msg_1")
    )
    book.load(beside)
    assert [(r["agent"], r["calls"]) for r in book.by("agent")] == [
        ("", 1),
        ("helper", 1),
    ]
    assert {r["reason"] for r in book.corrections()} == {
        "duplicate",
        "completed",
        "restored",
    }


def test_a_new_price_of_the_owner_stays(book: Book) -> None:
    """A duplicate that comes after an entry was priced anew does not undo that."""
    book.load(Told(NATIVE, 1, attributes=native("msg_1")))
    book.store.command(
        "INSERT INTO spans SELECT * REPLACE('correction' AS entry, 'anew' AS load,"
        " 'repriced' AS reason, sign AS calls, sign * errors AS errors,"
        + ",".join(f" sign * {name} AS {name}" for name in TOKENS)
        + ", sign * if(sign > 0, toDecimal128(7, 15), cost_usd) AS cost_usd)"
        " FROM spans ARRAY JOIN [-1, 1]::Array(Int8) AS sign"
    )
    book.load(Told(OPENLLMETRY, 2, trace=2, attributes=chat("msg_1")))
    totals = book.totals()
    assert (totals["calls"], totals["cost_usd"]) == (1, Decimal(7))


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
    book.store.command("DETACH TABLE runs_first_agent_view")
    try:
        name = book.load(*spans)
    finally:
        book.store.command("ATTACH TABLE runs_first_agent_view")
    book.ledger.load(name, [request(spans)])
    book.settler(name)
    assert book.totals()["calls"] == 1


def test_task_ids_of_any_length_can_be_looked_up(book: Book) -> None:
    """However long the ids are that senders give, no query is too long for the store:
    calls of absurd ids stay as they were told."""
    book.load(
        *(
            Told(
                scope,
                span,
                trace=trace,
                attributes=said(f"msg_{trace}"),
                resource={"farthing.task.id": f"{trace}".zfill(length)},
            )
            for trace, length in enumerate(60 * [9_000] + [300_000], start=1)
            for scope, span, said in ((NATIVE, 1, native), (OPENLLMETRY, 2, chat))
        )
    )
    assert book.totals()["calls"] == 60 + 2
