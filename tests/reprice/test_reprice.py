"""Re-pricing: today's book at each span's own time, as corrections."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from farthing.collector.reprice import Journal, Outlook, Scope, preview, reprice
from farthing.collector.settle import Settler
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Catalogue, load_catalogue
from tests.reprice.books import (
    DAYS_S,
    EVER,
    calls,
    correction,
    dearer_book,
    entries,
    in_force,
    load_calls,
    other_book,
    sums,
    takes_back,
    write,
)
from tests.store.dice import Case
from tests.store.otlp import Told, request
from tests.store.test_pricing_equal import expected

_OF_PRICE = (
    "provider", "model", "model_match", "cost_usd", "tool_fee_usd", "cost_state",
    "cost_reason", "price_row", "catalogue", "web_searches",
)  # fmt: skip
_SAME = ("cost_state", "price_row", "cost_usd")


def _nothing(_done: int) -> None:
    return


def _seen(store: Store, book: Catalogue, scope: Scope = EVER) -> Outlook:
    return preview(store, book, scope, progress=_nothing)


def _do(
    ledger: Ledger, book: Catalogue, journal: Journal, scope: Scope = EVER
) -> Outlook:
    return reprice(ledger.store, book, scope, journal=journal, progress=_nothing)


def test_the_book_that_priced_a_call_changes_nothing(ledger: Ledger) -> None:
    """Whatever was loaded: the same book gives the same price from what is stored."""
    load_calls(ledger, "calls", calls(11, 700))
    outlook = _seen(ledger.store, load_catalogue())
    assert outlook.changes == []
    assert outlook.looked_at > 600


def test_an_estimate_of_the_emitter_s_never_becomes_the_cost(ledger: Ledger) -> None:
    """At OpenRouter what was charged would win; what pydantic-ai says is not that."""
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": "openai/gpt-5",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 300,
        "operation.cost": 0.5,
    }
    ledger.load("calls", [request([Told(said, scope="pydantic-ai")])])
    outlook = _seen(ledger.store, load_catalogue())
    assert (outlook.looked_at, outlook.changes) == (1, [])


@pytest.mark.parametrize("seed", [21, 22])
def test_calls_come_out_as_the_new_book_prices_them(
    ledger: Ledger, journal: Journal, seed: int
) -> None:
    """Random calls and random books: each entry in force is what `price` says, to the
    last digit, unless its state, row and cost are what they were."""
    cases = calls(seed, 700)
    load_calls(ledger, "calls", cases)
    before = in_force(entries(ledger.store))
    book = other_book(load_catalogue(), seed)
    done = _do(ledger, book, journal)
    after = in_force(entries(ledger.store))
    assert before.keys() == after.keys()
    changed = 0
    for number, row in after.items():
        want = expected(cases[number], book)
        if all(before[number][name] == want[name] for name in _SAME):
            assert row == before[number]
            continue
        changed += 1
        found = {name: row[name] for name in _OF_PRICE}
        assert found == {name: want[name] for name in _OF_PRICE}, cases[number].told
        assert set(row["flags"]) == want["flags"], cases[number].told
    assert changed == done.calls > 150


@pytest.mark.parametrize("seed", [51, 52])
def test_it_goes_with_other_corrections_in_any_order(
    ledger: Ledger, journal: Journal, seed: int
) -> None:
    """Loads, duplicates taken back, completions and re-pricings, mixed: all sums agree
    at every moment, what was taken back stays so, the last book has the last word."""
    dice = random.Random(seed)
    cases = calls(seed, 240)
    load_calls(ledger, "first", cases)
    book = load_catalogue()
    gone: set[int] = set()
    steps = ["duplicate", "completed", "reprice"] * 3
    dice.shuffle(steps)
    for number, step in enumerate([*steps, "reprice"]):
        found = in_force(entries(ledger.store))
        assert not gone & found.keys()
        some = dice.sample(sorted(found), 4)
        if step == "reprice":
            book = other_book(load_catalogue(), seed + number)
            _do(ledger, book, journal)
            _agree(ledger.store, cases, book)
            assert _seen(ledger.store, book).changes == []
        elif step == "duplicate":
            gone.update(some)
            told = {"reason": step, "load": f"d{number}"}
            taken = [correction(found[span], sign=-1, **told) for span in some]
            write(ledger.store, taken)
        else:
            told = {"reason": step, "load": f"c{number}"}
            taken = [correction(found[span], sign=-1, **told) for span in some]
            told["response_id"] = f"answer-{number}"
            given = [correction(found[span], sign=1, **told) for span in some]
            write(ledger.store, [*taken, *given])
        assert len(set(sums(ledger.store))) == 1
    assert len(in_force(entries(ledger.store))) == len(cases) - len(gone)


def _agree(store: Store, cases: list[Case], book: Catalogue) -> None:
    for number, row in in_force(entries(store)).items():
        want = expected(cases[number], book)
        assert {n: row[n] for n in _SAME} == {n: want[n] for n in _SAME}


def test_history_does_not_move_by_itself(ledger: Ledger) -> None:
    """A new price book in force changes no entry, nor does a look at it."""
    load_calls(ledger, "calls", calls(61, 100))
    before = entries(ledger.store)
    book = other_book(load_catalogue(), 61)
    ledger.use_prices(book)
    assert _seen(ledger.store, book).calls > 10
    assert entries(ledger.store) == before


def test_both_prices_stay_in_the_ledger(ledger: Ledger, journal: Journal) -> None:
    """Each change is two corrections: one takes back all that the entry said, the other
    says it anew, and both name their price row and their price list."""
    load_calls(ledger, "calls", calls(62, 200))
    told = entries(ledger.store)
    book = other_book(load_catalogue(), 62)
    done = _do(ledger, book, journal)
    made = [row for row in entries(ledger.store) if row["entry"] == "correction"]
    assert {row["reason"] for row in made} == {"repriced"}
    back = [row for row in made if row["calls"] < 0]
    assert len(back) == len(made) - len(back) == done.calls
    for row in back:
        [taken] = [one for one in told if one["span_id"] == row["span_id"]]
        assert takes_back(row, taken)
        [new] = [o for o in made if o["span_id"] == row["span_id"] and o["calls"] > 0]
        assert new["catalogue"] in ("", book.sha256)
        assert (
            new["price_row"] != row["price_row"] or new["cost_usd"] != -row["cost_usd"]
        )


def test_what_is_shown_is_what_is_done(ledger: Ledger, journal: Journal) -> None:
    """A preview and the re-pricing after it tell the same; the ledger's total moves by
    just that difference, and then nothing is left to do."""
    load_calls(ledger, "calls", calls(63, 300))
    book = other_book(load_catalogue(), 63)
    before = _total(ledger.store)
    shown, done = _seen(ledger.store, book), _do(ledger, book, journal)
    assert shown.changes == done.changes
    assert _total(ledger.store) - before == shown.difference_usd != 0
    assert _do(ledger, book, journal).changes == []


def test_there_and_back_again(ledger: Ledger, journal: Journal) -> None:
    """Re-priced by another book, by the first and by the other again: each time the
    ledger holds what that book says, though the corrections look alike."""
    load_calls(ledger, "calls", calls(64, 120))
    first, other = load_catalogue(), other_book(load_catalogue(), 64)
    totals = [_total(ledger.store)]
    for book in (other, first, other, first):
        assert _do(ledger, book, journal).calls > 10
        totals.append(_total(ledger.store))
    assert totals[0] == totals[2] == totals[4] != totals[1] == totals[3]


def test_only_what_is_asked_for(ledger: Ledger, journal: Journal) -> None:
    """Calls outside the range, or of another model, keep their price."""
    load_calls(ledger, "calls", calls(65, 300))
    book = other_book(load_catalogue(), 65)
    everything = _seen(ledger.store, book)
    day = datetime.fromtimestamp(DAYS_S[0] // 86_400 * 86_400, UTC)
    scope = Scope(day, day + timedelta(days=1))
    assert 0 < _do(ledger, book, journal, scope).calls < everything.calls
    moved = [row for row in entries(ledger.store) if row["entry"] == "correction"]
    assert {row["time"].date() for row in moved} == {day.date()}
    rest = _seen(ledger.store, book)
    model = next(
        change.model for change in rest.changes if change.old_state == "priced"
    )
    _do(ledger, book, journal, replace(EVER, model=model))
    left = _seen(ledger.store, book)
    assert left.changes == [c for c in rest.changes if c.model != model]


def test_calls_that_are_not_settled_are_counted_and_left(
    ledger: Ledger, journal: Journal
) -> None:
    """A span that came twice is left as it is until one of the two is taken back."""
    cases = calls(66, 40)
    load_calls(ledger, "once", cases)
    load_calls(ledger, "twice", cases)
    book = other_book(load_catalogue(), 66)
    done = _do(ledger, book, journal)
    assert (done.calls, done.looked_at, done.unsettled) == (0, 0, len(cases))
    twice = [row for row in entries(ledger.store) if row["load"] == "twice"]
    told = {"reason": "duplicate", "load": "settled"}
    write(ledger.store, [correction(row, sign=-1, **told) for row in twice])
    done = _do(ledger, book, journal)
    assert (done.looked_at, done.unsettled) == (len(cases), 0)
    _agree(ledger.store, cases, book)


def _total(store: Store) -> Decimal:
    [row] = store.rows("SELECT sum(cost_usd) AS total FROM spend_hourly")
    return Decimal(row["total"])


def test_it_goes_with_what_counts_a_call_once(ledger: Ledger, journal: Journal) -> None:
    """Instruments tell of one call, and an exporter repeats itself, before and after
    re-pricings: at every moment one call is in force, at the last book's price."""
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-5-mini",
        "gen_ai.response.id": "answer-1",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
    }
    spans = [Told(told, scope=name) for name in ("one", "two", "three")]
    dearer = dearer_book(load_catalogue(), 3)
    settle = Settler(ledger.store, load_catalogue())
    total = Decimal("0.00045")
    for number, name in enumerate("abc", start=1):
        ledger.load(name, [request(spans[:number])])
        settle(name)
        for book, times in ((dearer, 3), (load_catalogue(), 1)):
            done = _do(ledger, book, journal)
            assert (done.looked_at, done.unsettled) == (1, 0)
            assert _total(ledger.store) == total * times
            assert len(set(sums(ledger.store))) == 1
            settle(name)
            assert _total(ledger.store) == total * times
    [row] = in_force(entries(ledger.store)).values()
    assert row["cost_usd"] == total
