"""Explanations: parts that add up, from the price list that was in force then."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from farthing.collector.explain import NoSuchSpan, account, to_json
from farthing.collector.explain.words import FLAGS
from farthing.collector.reprice import Journal, reprice
from farthing.collector.settle import Settler
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Flag, load_catalogue
from farthing.economics.usage import UsageFlag
from farthing.errors import ConfigError
from tests.reprice.books import EVER, calls, entries, load_calls, other_book
from tests.store.dice import CALL, USAGE
from tests.store.otlp import Told, request
from tests.store.test_pricing_equal import GOLDEN

ANSWERED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 300,
}
TOLD = Told(
    {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.response.model": "gpt-5-mini-2025-08-07",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.output_tokens": 300,
    }
)


def test_random_calls_add_up(ledger: Ledger) -> None:
    """Whatever was loaded, the parts of an entry give its cost to the last digit, and
    today's book, which priced it, says the same."""
    load_calls(ledger, "calls", calls(31, 250))
    book = load_catalogue()
    for row in entries(ledger.store):
        found = account(ledger.store, row["span_id"], book)
        assert found.adds_up, to_json(found)
        assert found.net_usd == row["cost_usd"]
        assert not found.today_differs, to_json(found)


def test_published_cases_add_up(ledger: Ledger) -> None:
    """So does every case of the golden file, and the sum is the published price."""
    cases = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    ledger.load("golden", [request(_golden(case) for case in cases)])
    for row in entries(ledger.store):
        found = account(ledger.store, row["span_id"], load_catalogue())
        assert found.adds_up, to_json(found)
        priced = [part.usd for part in found.told.parts if part.usd is not None]
        if row["cost_state"] in ("priced", "partial"):
            assert sum(priced, Decimal(0)) == row["cost_usd"]


def test_corrections_add_up_with_the_books_of_their_time(
    ledger: Ledger, tmp_path: Path
) -> None:
    """After a re-pricing each entry is explained by its own price list; the net is the
    new price, and today's book agrees with it."""
    load_calls(ledger, "calls", calls(32, 250))
    before = {row["span_id"] for row in entries(ledger.store)}
    book = other_book(load_catalogue(), 32)
    ledger.use_prices(book)
    journal = Journal(tmp_path / "reprice")
    done = reprice(ledger.store, book, EVER, journal=journal, progress=lambda _n: None)
    corrected = 0
    for span_id in before:
        found = account(ledger.store, span_id, book)
        assert not found.today_differs, to_json(found)
        assert found.net_calls == found.told.fields["calls"]
        corrected += len(found.entries) == 3
        assert all(entry.adds_up for entry in found.entries), to_json(found)
    assert corrected == done.calls > 50


def test_what_does_not_add_up_is_told(ledger: Ledger) -> None:
    """An entry whose cost is not what its parts give says so, with both numbers."""
    ledger.load("one", [request([TOLD])])
    ledger.store.command(
        "ALTER TABLE spans UPDATE"
        " cost_usd = cost_usd + toDecimal128('0.000000000000001', 15)"
        " WHERE 1 SETTINGS mutations_sync = 2"
    )
    found = account(ledger.store, "0" * 15 + "1", load_catalogue())
    assert not found.adds_up
    assert found.told.expected_usd == Decimal("0.000855")
    assert found.told.cost_usd == Decimal("0.000855000000001")


def test_the_parts_of_one_call(ledger: Ledger) -> None:
    """Tokens times rates, with the row, its source and when it was checked."""
    ledger.load("one", [request([TOLD])])
    found = account(ledger.store, "0" * 15 + "1", load_catalogue())
    assert {(p.name, p.units, str(p.usd)) for p in found.told.parts} == {
        ("input", 1000, "0.000250000000000"),
        ("cache_read", 200, "0.000005000000000"),
        ("output", 300, "0.000600000000000"),
    }
    row = found.told.row
    assert row is not None
    assert (row.provider, row.model, row.ctx) == ("openai", "gpt-5-mini", 0)
    assert row.row_id == found.told.fields["price_row"]
    assert found.net_usd == Decimal("0.000855")


def test_the_multiplier_is_the_one_that_was_used(ledger: Ledger) -> None:
    """By name and fraction, as the entry says it, and with its source."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.response.model": "gpt-5-mini-2025-08-07",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 0,
        "farthing.inference.deployment": "DataZoneStandard",
        "farthing.inference.region": "japaneast",
    }
    ledger.load("one", [request([Told(attributes)])])
    found = account(ledger.store, "0" * 15 + "1", load_catalogue())
    factor = found.told.factor
    assert factor is not None
    assert (factor.label, factor.numerator, factor.denominator) == ("data_zone", 12, 10)
    assert "APAC" in factor.source
    assert (found.net_usd, found.adds_up) == (Decimal("0.0003"), True)


def test_what_was_left_out_is_told_by_the_owner(ledger: Ledger) -> None:
    """The account of a call names the spans that told of it too, and why they do not
    count."""
    twice = [replace(TOLD, scope=f"acme.{n}", attributes=ANSWERED) for n in range(2)]
    ledger.load("twice", [request(twice)])
    Settler(ledger.store, load_catalogue())("twice")
    found = [account(ledger.store, f"{n:016x}", load_catalogue()) for n in (1, 2)]
    owner, other = sorted(found, key=lambda one: -one.net_calls)
    assert (owner.net_calls, other.net_calls) == (1, 0)
    [sibling] = owner.siblings
    assert sibling.span_id == other.told.fields["span_id"]
    assert sibling.reason == "duplicate"
    assert other.siblings == ()


@pytest.mark.parametrize("flag", sorted({*Flag, *UsageFlag} - {UsageFlag.INVALID}))
def test_every_flag_is_explained(flag: str) -> None:
    """`farthing explain` says in words what each flag of an entry means."""
    assert flag in FLAGS


def test_a_prefix_is_enough_if_no_other_span_has_it(ledger: Ledger) -> None:
    """An id may be cut short; one that begins two ids is refused with both."""
    ledger.load("two", [request([TOLD, TOLD])])
    assert account(ledger.store, "0" * 15 + "1", load_catalogue()).net_calls == 1
    with pytest.raises(ConfigError, match=r"0000000000000001.*more digits"):
        account(ledger.store, "0000", load_catalogue())


@pytest.mark.parametrize("span_id", ["abcdef", "", "  "])
def test_an_unknown_span_is_told_with_what_to_do(ledger: Ledger, span_id: str) -> None:
    """No such span: where ids are listed."""
    ledger.load("one", [request([TOLD])])
    with pytest.raises(NoSuchSpan, match="farthing run show"):
        account(ledger.store, span_id, load_catalogue())


def test_a_span_that_is_no_call_has_no_cost(ledger: Ledger) -> None:
    """A tool call has no price of its own, which is not the price zero."""
    tool = replace(TOLD, attributes={"gen_ai.operation.name": "execute_tool"})
    ledger.load("tool", [request([tool])])
    found = account(ledger.store, "0" * 15 + "1", load_catalogue())
    assert (found.net_usd, found.today, found.adds_up) == (None, None, True)


def _golden(case: dict) -> Told:
    attributes = {
        "gen_ai.operation.name": "chat",
        CALL["response_model"]: case["model"],
    }
    for name in CALL.keys() & case.keys() - {"response_model"}:
        if case[name]:
            attributes[CALL[name]] = case[name]
    for name, count in case["usage"].items():
        total = {"input_tokens": "input_total", "output_tokens": "output_total"}.get(
            name
        )
        attributes[USAGE[total or name.removesuffix("_tokens")]] = count
    at = datetime.fromisoformat(case["timestamp"])
    return Told(attributes, end_s=int(at.timestamp()))
