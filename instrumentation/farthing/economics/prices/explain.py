"""Why a call costs what it costs, what a model costs, and what changed, as data."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from farthing.economics.prices.call import Call, Cost
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.cost import price, served_ctx
from farthing.economics.prices.levels import usd_per_mtok
from farthing.economics.prices.packaged import iso
from farthing.economics.prices.rates import (
    OPEN_END,
    RATE_NAMES,
    Ctx,
    RateKey,
    RateRow,
)
from farthing.economics.prices.slots import slot_of
from farthing.economics.prices.tables import source_of

_NEAR = 5


class Step(NamedTuple):
    """One step of an explanation: what was asked, what came out, and why."""

    name: str
    result: str
    why: str


@dataclass(frozen=True)
class Explanation:
    """The cost of a call with the steps that led to it."""

    cost: Cost
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Quote:
    """What one model costs at an instant: a row for each way to be served."""

    provider: str
    model: str
    match: str
    slot: int
    rows: tuple[RateRow, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A row that is in one catalogue only (the other side is None), or differs."""

    key: RateKey
    valid_from: int
    before: RateRow | None
    after: RateRow | None


def explain(call: Call, catalogue: Catalogue) -> Explanation:
    """Price a call and tell each step."""
    cost = price(call, catalogue)
    found = catalogue.resolve(call.provider, call.host, call.ref)
    told = f"{call.provider!r}" + (f", host {call.host!r}" if call.host else "")
    steps = [
        Step("provider", found.provider, f"told as {told}"),
        Step(
            "model",
            found.model or "unknown",
            f"{call.ref!r} is looked up as {found.id!r}: {found.match or found.reason}",
        ),
    ]
    if found.model:
        steps.extend(_row_steps(call, cost, found.provider, found.model, catalogue))
    steps.extend(
        _part_step(part.name, part.units, part.femto_usd) for part in cost.parts
    )
    shown = "unknown" if cost.usd is None else f"{cost.usd.normalize():f} USD"
    why = f"{cost.state}" + (f": {cost.reason}" if cost.reason else "")
    steps.append(Step("cost", shown, why))
    return Explanation(cost, tuple(steps))


def lookup(
    model: str, catalogue: Catalogue, *, at: datetime, provider: str = ""
) -> tuple[Quote, ...]:
    """What a model costs at each provider that has it (or at the one named)."""
    at_s = int(at.timestamp())
    names = (
        [provider]
        if provider
        else sorted({key.provider for key in catalogue.rate_keys()})
    )
    quotes = []
    for name in names:
        found = catalogue.resolve(name, "", model)
        if not found.model:
            continue
        slot = slot_of(catalogue.rules, found.provider, found.model, at_s)
        rows = [
            row
            for ctx in Ctx
            if (
                row := catalogue.row(
                    RateKey(found.provider, found.model, int(ctx), slot), at_s
                )
            )
        ]
        sources = tuple(source_of(row, catalogue) for row in rows)
        quotes.append(
            Quote(found.provider, found.model, found.match, slot, tuple(rows), sources)
        )
    return tuple(quotes)


def near(model: str, catalogue: Catalogue, *, provider: str = "") -> tuple[str, ...]:
    """Listed ids that look like an unknown one: for people, never for pricing."""
    wanted = catalogue.resolve(provider, "", model).id if provider else model.lower()
    ids = {
        name
        for maker, name in catalogue.models
        if not provider or maker == catalogue.rules.provider_aliases.get(provider)
    }
    return tuple(difflib.get_close_matches(wanted, sorted(ids), n=_NEAR))


def diff(before: Catalogue, after: Catalogue) -> tuple[Change, ...]:
    """The rows that differ between two catalogues, sorted by key and time."""
    old, new = _by_start(before), _by_start(after)
    return tuple(
        Change(RateKey(*start[:4]), start[4], old.get(start), new.get(start))
        for start in sorted(old.keys() | new.keys())
        if old.get(start) != new.get(start)
    )


def _by_start(rows: Iterable[RateRow]) -> dict[tuple[str, str, int, int, int], RateRow]:
    return {(*row.key, row.valid_from): row for row in rows}


def _row_steps(
    call: Call, cost: Cost, provider: str, model: str, catalogue: Catalogue
) -> list[Step]:
    at_s = int(call.at.timestamp())
    ctx = served_ctx(call, catalogue)
    served = "unknown" if ctx is None else Ctx(ctx).name.lower()
    asked = {"tier": call.service_tier, "speed": call.speed}
    named = [f"{name} {value!r}" for name, value in asked.items() if value]
    told = (
        ", ".join([*named, *["batch"] * call.batch]) or "no tier, speed or batch told"
    )
    steps = [Step("served as", served, told)]
    slot = slot_of(catalogue.rules, provider, model, at_s)
    if slot:
        steps.append(Step("time of day", f"slot {slot}", iso(at_s)))
    row = None
    if ctx is not None:
        row = catalogue.row(RateKey(provider, model, ctx, slot), at_s)
    if row is None:
        steps.append(Step("price", "none", str(cost.reason)))
        return steps
    period = _period(row)
    steps.append(
        Step("price", f"row {row.row_id}, {period}", source_of(row, catalogue))
    )
    total = call.buckets.total_input if call.buckets else 0
    passed = sum(total > bound for bound in row.thresholds)
    if row.thresholds:
        bounds = ", ".join(f"{bound:,}" for bound in row.thresholds)
        over = f"{total:,} input tokens; higher levels begin above {bounds}"
        steps.append(Step("level", str(passed), over))
    rates = row.levels[passed]
    shown = ", ".join(
        f"{name} {usd_per_mtok(rate)}"
        for name, rate in zip(RATE_NAMES, rates, strict=True)
        if rate is not None
    )
    steps.append(Step("rates", shown, "USD per million tokens"))
    if cost.flags:
        steps.append(Step("flags", ", ".join(cost.flags), ""))
    return steps


def _period(row: RateRow) -> str:
    begins = f"from {iso(row.valid_from)}" if row.valid_from else ""
    ends = "" if row.valid_to == OPEN_END else f"until {iso(row.valid_to)}"
    return f"{begins} {ends}".strip() or "at any time"


def _part_step(name: str, units: int, femto: int | None) -> Step:
    told = f"{units:,} {'tokens' if name in RATE_NAMES else 'uses'}"
    if femto is None:
        return Step(name, "no rate", told)
    usd = Decimal(femto).scaleb(-15).normalize()
    return Step(name, f"{usd:f} USD", told)
