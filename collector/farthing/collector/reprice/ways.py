"""Ways: what the price of a call hangs on, its counts aside; and what each way costs.

Millions of calls are made in a few hundred ways. Each way is priced here, by the very
rules that price a call; the store then multiplies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from farthing.collector.store.text import array, integers, quoted
from farthing.economics.prices import (
    ABSENT,
    MAX_TOKENS,
    RATE_NAMES,
    Call,
    Catalogue,
    Cost,
    Flag,
    Kind,
    RateKey,
    State,
    price,
)
from farthing.economics.prices.cost import REQUEST_FEE, served_ctx
from farthing.economics.prices.rates import SlotWindow
from farthing.economics.prices.resolver import fold
from farthing.economics.prices.slots import DAY_S, slot_of
from farthing.economics.usage import TokenBuckets

SEARCH: Final = "web_search"
FLAGS_OF_PRICE: Final = frozenset(Flag) - {Flag.TTL_ASSUMED}
"""Flags that follow from the price book; the others from what the emitter said."""

_INPUTS: Final = RATE_NAMES[:6]
_OUTPUTS: Final = TokenBuckets(output=1, reasoning=1, output_audio=1)
_KINDS: Final = {State.FREE: Kind.FREE, State.FLAT_RATE: Kind.FLAT_RATE}


class Way(NamedTuple):
    """What is told of a call that its price hangs on; `at` stands for a stretch of time
    in which no price changes."""

    way: str
    segment: int
    at: datetime
    provider: str
    host: str
    request_model: str
    response_model: str
    service_tier: str
    speed: str
    batch: bool
    geo: str
    region: str
    deployment: str

    def call(self, buckets: TokenBuckets) -> Call:
        """A call of this way."""
        return Call(
            provider=self.provider,
            at=self.at,
            buckets=buckets,
            response_model=self.response_model,
            request_model=self.request_model,
            host=self.host,
            service_tier=self.service_tier,
            batch=self.batch,
            speed=self.speed,
            geo=self.geo,
            region=self.region,
            deployment=self.deployment,
            tool_uses={SEARCH: 1},
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a way costs. Rates and fees are femto-USD, ABSENT where there is none; the
    rates are nine per level, in the order of RATE_NAMES."""

    way: Way
    provider: str
    model: str
    match: str
    reason: str
    row_id: int
    kind: Kind
    thresholds: tuple[int, ...]
    rates: tuple[int, ...]
    search_fee: int
    request_fee: int
    claims_win: bool
    flags: tuple[str, ...]

    TYPE = (
        "Tuple(way String, segment UInt16, provider String, model String, match String,"
        " reason String, row_id UInt64, kind String, thresholds Array(Int64),"
        " rates Array(Int64), search_fee Int64, request_fee Int64, claims_win Bool,"
        " flags Array(String))"
    )

    def literal(self) -> str:
        """As a tuple in SQL; `TYPE` is its type."""
        values = (
            quoted(self.way.way),
            str(self.way.segment),
            *(quoted(t) for t in (self.provider, self.model, self.match, self.reason)),
            str(self.row_id),
            quoted(self.kind),
            _numbers(self.thresholds),
            _numbers(self.rates),
            str(self.search_fee),
            str(self.request_fee),
            str(self.claims_win).lower(),
            array(self.flags),
        )
        return f"({', '.join(values)})"


def terms(way: Way, catalogue: Catalogue) -> Terms:
    """What a way costs: asked of `price`, one token of each kind at a time."""
    call = way.call(_OUTPUTS)
    plain = price(call, catalogue)
    thresholds = _thresholds(call, plain, catalogue)
    levels = [_level(way, total, catalogue) for total in _totals(thresholds)]
    blocked = plain.row_id == 0
    fees = {part.name: part.femto_usd for part in plain.parts}
    return Terms(
        way=way,
        provider=plain.provider,
        model=plain.model or fold(call.ref),
        match=plain.match,
        reason=str(plain.reason) if blocked and plain.reason else "",
        row_id=plain.row_id,
        kind=_KINDS.get(plain.state, Kind.PRICED),
        thresholds=() if blocked else thresholds,
        rates=() if blocked else tuple(rate for level in levels for rate in level),
        search_fee=_or_absent(fees.get(f"tool:{SEARCH}")),
        request_fee=_or_absent(fees.get(f"tool:{REQUEST_FEE}")),
        claims_win=plain.provider in catalogue.rules.claims_win,
        flags=tuple(word for word in plain.words if word != Flag.TTL_ASSUMED),
    )


def turning_points(catalogue: Catalogue, start_s: int, end_s: int) -> list[int]:
    """Every instant in a range (epoch seconds) at which some price may change."""
    rules = catalogue.rules
    dated = (catalogue, rules.multipliers, rules.tool_fees, rules.windows)
    found = {
        at_s
        for rows in dated
        for row in rows
        for at_s in (row.valid_from, row.valid_to)
    }
    times_of_day = {at_s for window in rules.windows for at_s in _times_of_day(window)}
    first_day_s = start_s - start_s % DAY_S
    for day_s in range(first_day_s, end_s, DAY_S):
        found.update(day_s + at_s for at_s in times_of_day)
    return sorted(at_s for at_s in found if start_s < at_s < end_s)


def _times_of_day(window: SlotWindow) -> Iterable[int]:
    """When a window opens and closes, and when its day begins: seconds of a UTC day."""
    return (window.start_s, window.end_s, -window.utc_offset_s % DAY_S)


def way_of_row(row: dict[str, Any]) -> Way:
    """A row of `ways.sql`."""
    at = row["at"]
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Way(**{**{name: row[name] for name in Way._fields}, "at": aware})


def _thresholds(call: Call, cost: Cost, catalogue: Catalogue) -> tuple[int, ...]:
    if cost.row_id == 0:
        return ()
    ctx = served_ctx(call, catalogue)
    assert ctx is not None, "a call without a way of being served has no row"
    at_s = int(call.at.timestamp())
    slot = slot_of(catalogue.rules, cost.provider, cost.model, at_s)
    row = catalogue.row(RateKey(cost.provider, cost.model, ctx, slot), at_s)
    assert row is not None, "it was priced by a row of this catalogue"
    return row.thresholds


def _totals(thresholds: tuple[int, ...]) -> Iterator[int]:
    """For each level, input tokens that it holds for: few, but one if it can be."""
    yield min(1, *thresholds) if thresholds else 1
    for bound in thresholds:
        yield min(bound + 1, MAX_TOKENS)


def _level(way: Way, total: int, catalogue: Catalogue) -> list[int]:
    """The nine rates of the level that holds for `total` input tokens."""
    rates = {}
    for name in _INPUTS:
        cost = price(way.call(TokenBuckets(**{name: total})), catalogue)
        rates[name] = _rate(cost, name)
    thought = TokenBuckets(input=total, output=1, reasoning=1, output_audio=1)
    cost = price(way.call(thought), catalogue)
    return [rates[n] if n in rates else _rate(cost, n) for n in RATE_NAMES]


def _rate(cost: Cost, name: str) -> int:
    for part in cost.parts:
        if part.name == name and part.femto_usd is not None:
            return part.femto_usd // part.units
    return ABSENT


def _or_absent(femto: int | None) -> int:
    return ABSENT if femto is None else femto


def _numbers(numbers: Iterable[int]) -> str:
    return integers(numbers, "Int64").removesuffix("::Array(Int64)")
