"""Price books that differ, and ledgers with calls that were priced by one of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from farthing.collector.reprice import Scope
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import Catalogue, RateRow, load_catalogue
from farthing.economics.prices.rates import Kind, Level
from tests.store.dice import Case, Dice
from tests.store.otlp import request

EVER = Scope(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
MEASURES = {
    "calls", "tool_calls", "errors", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "input_audio_tokens",
    "cache_audio_tokens", "output_tokens", "reasoning_tokens", "output_audio_tokens",
    "web_searches", "cost_usd", "tool_fee_usd", "claimed_usd",
}  # fmt: skip
_OF_ENTRY = {
    "entry", "reason", "load", "ingested_at", "attributes", "owner_trace_id",
    "owner_span_id",
}  # fmt: skip


def other_book(catalogue: Catalogue, seed: int) -> Catalogue:
    """A price book in which many rows, and rules with a number, differ."""
    dice = random.Random(seed)
    rules = catalogue.rules
    changed = replace(
        rules,
        multipliers=tuple(
            replace(row, numerator=row.numerator * dice.choice((1, 1, 3)))
            for row in rules.multipliers
        ),
        tool_fees=tuple(
            replace(fee, femto_usd=fee.femto_usd * dice.choice((1, 2)))
            for fee in rules.tool_fees
        ),
    )
    rows = [_other_row(row, dice) for row in catalogue if dice.random() < 0.6]
    models = [
        replace(found, dated_ok=not found.dated_ok)
        for found in catalogue.models.values()
        if dice.random() < 0.05
    ]
    name = hashlib.sha256(f"{catalogue.sha256}{seed}".encode()).hexdigest()
    return catalogue.extended(rows=rows, models=models, rules=changed, sha256=name)


def dearer_book(catalogue: Catalogue, times: int) -> Catalogue:
    """A price book in which every rate is so many times the rate."""
    rows = [
        replace(
            row,
            levels=tuple(
                tuple(None if rate is None else rate * times for rate in level)
                for level in row.levels
            ),
        )
        for row in catalogue
    ]
    name = hashlib.sha256(f"{catalogue.sha256} times {times}".encode()).hexdigest()
    return catalogue.extended(rows=rows, sha256=name)


def _other_row(row: RateRow, dice: random.Random) -> RateRow:
    kind = dice.choice((Kind.PRICED, Kind.PRICED, row.kind, Kind.FREE, Kind.FLAT_RATE))
    return replace(
        row,
        levels=tuple(_other_level(level, dice) for level in row.levels),
        kind=kind,
        valid_from=row.valid_from + dice.choice((0, 0, 86_400 * 30 + 12_345)),
        notes=row.notes,
    )


def _other_level(level: Level, dice: random.Random) -> Level:
    factor = dice.choice((1, 2, 3))
    return tuple(
        None if rate is None or dice.random() < 0.1 else rate * factor + 1
        for rate in level
    )


DAYS_S = [1_790_000_000 - days * 86_400 for days in (0, 1, 20, 400)]


def calls(seed: int, number: int) -> list[Case]:
    """Random calls of a few days."""
    dice = Dice(seed, load_catalogue())
    return [_on_some_day(dice.case(), dice) for _ in range(number)]


def _on_some_day(case: Case, dice: Dice) -> Case:
    end_s = dice.one(DAYS_S) // 86_400 * 86_400 + case.told.end_s % 86_400
    return replace(
        case,
        told=replace(case.told, end_s=end_s),
        call=replace(case.call, at=datetime.fromtimestamp(end_s, UTC)),
    )


def load_calls(ledger: Ledger, name: str, cases: Sequence[Case]) -> None:
    """Load random calls; the number of a case and 1 is the id of its span."""
    ledger.load(name, [request(case.told for case in cases)])


def entries(store: Store) -> list[dict[str, Any]]:
    """Every entry of the ledger."""
    return store.rows(
        "SELECT * FROM spans ORDER BY ingested_at, load, calls,"
        " trace_id, span_id, cost_usd"
    )


def in_force(rows: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """By number of the case, the entry that no other takes back."""
    told: dict[int, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: -row["calls"]):
        held = told.setdefault(int(row["span_id"], 16) - 1, [])
        if row["calls"] < 0:
            held.remove(next(one for one in held if takes_back(row, one)))
        elif row["calls"] > 0:
            held.append(row)
    assert all(len(held) <= 1 for held in told.values()), "told twice"
    return {number: held[0] for number, held in told.items() if held}


def takes_back(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether `one` is `other` with all its measures of the opposite sign."""
    negated = {n: None if other[n] is None else -other[n] for n in MEASURES}
    said = one.keys() - MEASURES - _OF_ENTRY
    return all(one[name] == negated[name] for name in MEASURES) and all(
        one[name] == other[name] for name in said
    )


def sums(store: Store) -> list[tuple[Any, ...]]:
    """Every measure, summed in each of the three tables that hold them all."""
    names = sorted(MEASURES)
    shown = ", ".join(f"sum({name}) AS {name}" for name in names)
    found = []
    for table in ("spans", "runs", "spend_hourly"):
        [row] = store.rows(f"SELECT {shown} FROM {table}")
        found.append(tuple(row[name] or 0 for name in names))
    return found


def correction(row: dict[str, Any], *, sign: int, **changes: Any) -> dict[str, Any]:
    """A correction as one writes it by hand: an entry, its measures times `sign`."""
    made = {**row, "entry": "correction", **changes}
    for name in MEASURES:
        if made[name] is not None:
            made[name] = sign * made[name]
    for name in ("time", "ingested_at"):
        made[name] = f"{made[name]:%Y-%m-%d %H:%M:%S.%f}".removesuffix(".000000")
    return made


def write(store: Store, corrections: Sequence[dict[str, Any]]) -> None:
    """Add corrections to the ledger."""
    store.insert("spans", list(corrections[0]), [list(c.values()) for c in corrections])
