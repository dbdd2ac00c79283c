"""The account of a span: its entries, and the multiplications behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from farthing.economics.prices import Cost, Flag
from farthing.economics.prices.rates import OPEN_END

_COVERED: Final = ("free", "flat_rate")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The row of a price list that an entry was priced with. Times are epoch seconds,
    the end is the last one; rates are femto-USD per token, nine per level."""

    row_id: int
    catalogue: str
    provider: str
    model: str
    ctx: int
    slot: int
    valid_from: int
    valid_to: int
    thresholds: tuple[int, ...]
    rates: tuple[int, ...]
    kind: str
    origin: str
    notes: str
    source: str
    checked_on: str

    @property
    def is_open(self) -> bool:
        """Whether no end of it was known."""
        return self.valid_to >= OPEN_END - 1


@dataclass(frozen=True, slots=True)
class Factor:
    """What the rates of a row were multiplied by, for where the call was served."""

    numerator: int
    denominator: int
    label: str
    source: str


@dataclass(frozen=True, slots=True)
class Part:
    """One multiplication: units (tokens, or uses of a tool) times a rate in femto-USD,
    None where there is no rate."""

    name: str
    units: int
    rate_femto: int | None

    @property
    def usd(self) -> Decimal | None:
        """What it comes to."""
        return (
            None
            if self.rate_femto is None
            else Decimal(self.units * self.rate_femto).scaleb(-15)
        )


@dataclass(frozen=True)
class Entry:
    """One entry of a span in the ledger, and how its cost comes about.

    `fields` are the columns of `spans`. Without a price row there are no parts.
    """

    fields: Mapping[str, Any]
    row: PriceRow | None
    level: int
    factor: Factor | None
    parts: tuple[Part, ...]

    @property
    def cost_usd(self) -> Decimal | None:
        """What is stored; None where it is not known."""
        cost: Decimal | None = self.fields["cost_usd"]
        return cost

    @property
    def is_reported(self) -> bool:
        """Whether the cost is the provider's own figure."""
        return Flag.PROVIDER_REPORTED in self.fields["flags"]

    @cached_property
    def list_usd(self) -> Decimal | None:
        """The sum of the parts that have a rate; None where none has."""
        known = [part.usd for part in self.parts if part.usd is not None]
        if not known and (self.parts or self.row is None):
            return None
        return sum(known, Decimal(0))

    @property
    def expected_usd(self) -> Decimal | None:
        """What should be stored, given state and parts."""
        state = self.fields["cost_state"]
        if self.is_reported:
            claimed: Decimal | None = self.fields["claimed_usd"]
            return claimed
        if state in ("priced", "partial"):
            return self.list_usd
        return Decimal(0) if state in _COVERED else None

    @property
    def adds_up(self) -> bool:
        """Whether the parts give the stored cost, to the last digit."""
        return self.expected_usd == self.cost_usd


@dataclass(frozen=True, slots=True)
class Sibling:
    """A span that told of the same call, and was left out."""

    trace_id: str
    span_id: str
    scope: str
    name: str
    reason: str


@dataclass(frozen=True)
class Account:
    """A span with all its entries in the order in which they were made.

    `in_force` is the entry that no other takes back, None where nothing counts any
    more, or where the span is told more than once. `today` is what today's price book
    says of it; `siblings` are those that told of a call that this span owns.
    """

    entries: tuple[Entry, ...]
    in_force: Entry | None
    today: Cost | None
    siblings: tuple[Sibling, ...] = ()

    @property
    def told(self) -> Entry:
        """The first entry: what the emitter said."""
        return self.entries[0]

    @property
    def net_usd(self) -> Decimal | None:
        """What the span costs, all entries summed; None where that is not known."""
        if self.in_force is not None and self.in_force.cost_usd is None:
            return None
        known = [e.cost_usd for e in self.entries if e.cost_usd is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def net_calls(self) -> int:
        """How many calls the span counts for: 0 where it was left out."""
        return sum(int(entry.fields["calls"]) for entry in self.entries)

    @property
    def adds_up(self) -> bool:
        """Whether every entry does, and the net is that of the entry in force."""
        return all(entry.adds_up for entry in self.entries) and (
            self.in_force is None or self.in_force.cost_usd == self.net_usd
        )

    @property
    def today_differs(self) -> bool:
        """Whether `farthing reprice` would change it."""
        if self.in_force is None or self.today is None:
            return False
        now, fields = self.today, self.in_force.fields
        found = (fields["cost_state"], fields["price_row"], fields["cost_usd"])
        return found != (now.state.value, now.row_id, now.usd)
