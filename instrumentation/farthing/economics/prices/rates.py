"""The dated rows of the price book. Money is integer femto-USD (1e-15 USD)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import NamedTuple

FEMTO_PER_USD = 10**15
FEMTO_PER_USD_PER_MTOK = 10**9
"""1 USD per million tokens, in femto-USD per token."""
OPEN_END = 4_102_444_800
"""`valid_to` of a row without an end: 2100-01-01T00:00:00Z, in epoch seconds."""
ABSENT = -1
"""A bucket without a rate in the exported arrays. Absent is not zero."""
MAX_LEVELS = 4
FACTOR_WORD = "multiplier:"
"""How a word for a multiplier begins: `multiplier:data_zone:11/10`."""

RATE_NAMES = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "input_audio",
    "cache_audio",
    "output",
    "reasoning",
    "output_audio",
)
"""The nine rates of a level, in this order everywhere: files, arrays and SQL."""

Level = tuple[int | None, ...]
"""Nine rates in femto-USD per token; None is a bucket without a rate."""


class Ctx(IntEnum):
    """How a call was served: each has its own rates, and none falls back to another.

    Batch never combines with a tier or a speed: no provider publishes such a price,
    so such a call finds no row. DEFAULT (a tier that says that it is the standard
    one) carries no rows of its own, it is priced as STANDARD.
    """

    STANDARD = 0
    BATCH = 1
    FLEX = 2
    PRIORITY = 3
    FAST_TIER = 4
    DEFAULT = 5
    FAST_SPEED = 6
    ULTRAFAST = 7


class Kind(StrEnum):
    """What a row says of its calls."""

    PRICED = "priced"
    FREE = "free"
    FLAT_RATE = "flat_rate"


class Origin(StrEnum):
    """Who says so; a later one wins."""

    BASE = "base"
    OVERLAY = "overlay"
    USER = "user"


class Note(StrEnum):
    """Why a row deserves less trust than one read off a price page."""

    BACK_DATED = "back_dated"
    """A variant applied before the day of the base catalogue's own data."""
    DERIVED = "derived"
    """Some rate follows from a published multiple instead of a published number."""
    UNCONFIRMED = "unconfirmed"
    """The source no longer vouches for this period: re-check."""


class RateKey(NamedTuple):
    """What selects the rows of one price history."""

    provider: str
    model: str
    ctx: int
    slot: int


@dataclass(frozen=True, slots=True)
class RateRow:
    """The price of one (provider, model, ctx, slot) from valid_from to valid_to.

    Times are epoch seconds, UTC, half-open. `levels[i]` holds when exactly i
    thresholds lie strictly below the call's total input: a level applies to the whole
    call. A bound that a provider words as inclusive is stored as n - 1.
    """

    provider: str
    model: str
    ctx: int
    slot: int
    valid_from: int
    valid_to: int
    thresholds: tuple[int, ...]
    levels: tuple[Level, ...]
    kind: Kind = Kind.PRICED
    currency: str = "USD"
    origin: Origin = Origin.BASE
    source: str = ""
    checked_on: str = ""
    notes: tuple[Note, ...] = ()
    row_id: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row_id", _row_id(self))

    @property
    def key(self) -> RateKey:
        return RateKey(self.provider, self.model, self.ctx, self.slot)

    def between(self, valid_from: int, valid_to: int) -> RateRow:
        """The same prices for another period."""
        return replace(self, valid_from=valid_from, valid_to=valid_to)


def _row_id(row: RateRow) -> int:
    """A UInt64 from the content; 0 is reserved for "no row".

    The end of validity is left out: a row keeps its id when a successor closes it.
    """
    content = (
        row.provider,
        row.model,
        row.ctx,
        row.slot,
        row.valid_from,
        row.thresholds,
        row.levels,
        row.kind.value,
        row.currency,
        row.origin.value,
    )
    digest = hashlib.sha256(repr(content).encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1


@dataclass(frozen=True, slots=True)
class ModelId:
    """A normalised model reference and the model whose rows price it."""

    provider: str
    id: str
    model: str
    kind: str
    """`exact`: the model's own name; `alias`: another listed name; `user`."""
    dated_ok: bool
    """Whether `id` plus an allowed suffix (a date, `-latest`) is the same price."""


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A geography's factor on every token rate; the first that matches wins.

    `place` is matched against `geo|region|deployment|host`, `model` against the
    canonical model; both are RE2 searches. A numerator of 0 means that the place is
    known to be priced differently, and the price is not known.
    """

    provider: str
    place: str
    model: str
    valid_from: int
    valid_to: int
    numerator: int
    denominator: int
    label: str
    source: str
    checked_on: str

    @property
    def word(self) -> str:
        """What an entry that it was used for says of it, beside its flags."""
        return f"{FACTOR_WORD}{self.label}:{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class ToolFee:
    """The price of one use of a tool, in femto-USD.

    `model` "" is the provider's own default. The tool `request` is the fee that some
    models charge for each call.
    """

    provider: str
    model: str
    tool: str
    valid_from: int
    valid_to: int
    femto_usd: int
    source: str
    checked_on: str


@dataclass(frozen=True, slots=True)
class SlotWindow:
    """When a time-of-day slot of a model holds; the first that matches wins.

    The window is `[start_s, end_s)` of the UTC day and wraps past midnight when
    end_s < start_s. Weekday (Monday 1 to Sunday 7) and holiday are those of the day
    at `utc_offset_s`; `calendar` "" has no holidays.
    """

    provider: str
    model: str
    slot: int
    valid_from: int
    valid_to: int
    start_s: int
    end_s: int
    weekdays: tuple[int, ...]
    utc_offset_s: int
    calendar: str


SLOT_UNDECIDED = 255
"""The slot of hours whose price hangs on a calendar that is not published yet."""
