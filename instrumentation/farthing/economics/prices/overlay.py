"""The overlay file as data: corrections, resolver tables and rules of the compile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from farthing.economics.prices.entries import (
    CTX_WORDS,
    Problems,
    Reader,
    mappings,
    overlaps,
    read_row,
)
from farthing.economics.prices.packaged import seconds
from farthing.economics.prices.rates import (
    FEMTO_PER_USD,
    OPEN_END,
    SLOT_UNDECIDED,
    Multiplier,
    Origin,
    RateRow,
    SlotWindow,
    ToolFee,
)
from farthing.economics.prices.rules import Normalisation, RegionOfRef, Unmapped
from farthing.errors import ConfigError

_ALL_DAYS, _WEEKDAYS = (1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True)
class OwnModel:
    """A model that the overlay names, with the ids that are its own."""

    provider: str
    model: str
    ids: tuple[str, ...]
    copy_of: str
    pinned: bool
    """No dated form of these ids is allowed."""


@dataclass(frozen=True)
class Discount:
    """A provider's documented discount on its standard price, in batch or flex."""

    factor: Fraction
    every_model: str
    undiscounted: tuple[str, ...]


@dataclass(frozen=True)
class Ratio:
    """A rate as a published multiple of another where the base has none."""

    provider: str
    rate: str
    of: str
    beside: str
    factor: Fraction


@dataclass(frozen=True)
class Overlay:
    """Everything that `overlay.yaml` says."""

    models: tuple[OwnModel, ...]
    rows: tuple[RateRow, ...]
    windows: tuple[SlotWindow, ...]
    calendars: dict[str, tuple[str, ...]]
    multipliers: tuple[Multiplier, ...]
    tool_fees: tuple[ToolFee, ...]
    launches: dict[tuple[str, int], int]
    discounts: dict[tuple[str, int], Discount]
    ratios: tuple[Ratio, ...]
    audio_as_text: tuple[str, ...]
    claims_win: tuple[str, ...]
    provider_aliases: dict[str, str]
    hosts: dict[str, str]
    normalisations: tuple[Normalisation, ...]
    own_hosts: str
    suffix: str
    regions: tuple[RegionOfRef, ...]
    unmapped: tuple[Unmapped, ...]
    tiers: dict[str, int]
    speeds: dict[str, int]
    unserved_tiers: tuple[str, ...]


def read_overlay(data: Mapping[str, Any], *, file: str) -> Overlay:
    """The overlay from a mapping of texts; raises ConfigError with every problem."""
    problems = Problems(file)
    as_text = tuple(data["audio_as_text"])
    rows = [
        row
        for reader in mappings(data, "prices", problems)
        if (
            row := read_row(
                reader, origin=Origin.OVERLAY, audio_as_text=as_text, sourced=True
            )
        )
    ]
    overlaps(rows, problems)
    calendars, complete_to = _calendars(data["calendars"])
    made = Overlay(
        models=tuple(_own_model(r) for r in mappings(data, "models", problems)),
        rows=tuple(rows),
        windows=tuple(
            window
            for reader in mappings(data, "windows", problems)
            for window in _windows(reader, complete_to)
        ),
        calendars=calendars,
        multipliers=tuple(
            _multiplier(r) for r in mappings(data, "multipliers", problems)
        ),
        tool_fees=tuple(_fee(r) for r in mappings(data, "tool_fees", problems)),
        launches={
            (r.name("provider"), _ctx(r.text("ctx"))): r.instant("from", default=0)
            for r in mappings(data, "launches", problems)
        },
        discounts={
            (r.name("provider"), _ctx(r.text("ctx"))): _discount(r)
            for r in mappings(data, "discounts", problems)
        },
        ratios=tuple(_ratio(r) for r in mappings(data, "ratios", problems)),
        audio_as_text=as_text,
        claims_win=tuple(data["claims_win"]),
        provider_aliases=_inverted(data["provider_aliases"]),
        hosts=_inverted(data["hosts"]),
        normalisations=tuple(
            Normalisation(r.values["provider"], r.values["pattern"], r.values["to"])
            for r in mappings(data, "normalisations", problems)
        ),
        own_hosts=data["own_hosts"],
        suffix=data["suffix"],
        regions=tuple(
            RegionOfRef(r.values["provider"], r.values["pattern"])
            for r in mappings(data, "regions", problems)
        ),
        unmapped=tuple(
            Unmapped(r.values["provider"], r.values["pattern"])
            for r in mappings(data, "unmapped", problems)
        ),
        tiers=_coded(data["tiers"]),
        speeds=_coded(data["speeds"]),
        unserved_tiers=tuple(data["unserved_tiers"]),
    )
    if problems.found:
        raise ConfigError("\n".join(problems.found))
    return made


def _ctx(word: str) -> int:
    return int(CTX_WORDS[word])


def _coded(words: Mapping[str, list[str]]) -> dict[str, int]:
    return {word: _ctx(ctx) for ctx, all_of in words.items() for word in all_of}


def _inverted(words: Mapping[str, list[str]]) -> dict[str, str]:
    return {word: name for name, all_of in words.items() for word in all_of}


def _own_model(reader: Reader) -> OwnModel:
    reader.keys({"provider", "model", "ids", "copy_of", "pinned"})
    return OwnModel(
        provider=reader.name("provider"),
        model=reader.name("model"),
        ids=tuple(reader.values.get("ids") or ()),
        copy_of=reader.name("copy_of", required=False),
        pinned=reader.truth("pinned"),
    )


def _windows(reader: Reader, complete_to: Mapping[str, int]) -> list[SlotWindow]:
    """One window per model, and one of the undecided slot after its calendar's end."""
    start_s, end_s = (_of_day(clock) for clock in reader.values["day"])
    calendar = reader.text("calendar", required=False)
    valid_from = reader.instant("from", default=0)
    valid_to = reader.instant("to", default=OPEN_END)
    known_to = min(valid_to, complete_to.get(calendar, OPEN_END))
    days = _WEEKDAYS if reader.truth("weekdays") else _ALL_DAYS
    offset_s = reader.integer("utc_offset", default=0) * 3600
    made = []
    for model in reader.values["models"]:
        spans = [(reader.integer("slot", default=1), valid_from, known_to, calendar)]
        if known_to < valid_to:
            spans.append((SLOT_UNDECIDED, known_to, valid_to, ""))
        for slot, begins, ends, named in spans:
            made.append(
                SlotWindow(
                    provider=reader.name("provider"),
                    model=model,
                    slot=slot,
                    valid_from=begins,
                    valid_to=ends,
                    start_s=start_s,
                    end_s=end_s,
                    weekdays=days,
                    utc_offset_s=offset_s,
                    calendar=named,
                )
            )
    return made


def _of_day(clock: str) -> int:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ConfigError(f"{clock!r} is no time of day such as 16:30")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _calendars(
    data: Mapping[str, Any],
) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    days: dict[str, tuple[str, ...]] = {}
    complete_to: dict[str, int] = {}
    for name, calendar in data.items():
        complete_to[name] = seconds(calendar["complete_to"])
        days[name] = tuple(
            day for span in calendar["holidays"] for day in _days_of(span)
        )
    return days, complete_to


def _days_of(span: str) -> list[str]:
    first, _, last = span.partition("..")
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    count = (end - begin).days + 1
    return [(begin + timedelta(days=n)).isoformat() for n in range(count)]


def _multiplier(reader: Reader) -> Multiplier:
    numerator, _, denominator = reader.text("factor").partition("/")
    return Multiplier(
        provider=reader.name("provider"),
        place=reader.text("place", required=False),
        model=reader.text("model", required=False),
        valid_from=reader.instant("from", default=0),
        valid_to=reader.instant("to", default=OPEN_END),
        numerator=int(numerator),
        denominator=int(denominator),
        label=reader.text("label"),
        source=reader.text("source"),
        checked_on=reader.day("checked_on"),
    )


def _fee(reader: Reader) -> ToolFee:
    price = reader.number("usd_per_1000", reader.values.get("usd_per_1000"))
    return ToolFee(
        provider=reader.name("provider"),
        model=reader.name("model", required=False),
        tool=reader.name("tool"),
        valid_from=reader.instant("from", default=0),
        valid_to=reader.instant("to", default=OPEN_END),
        femto_usd=int((price or 0) * FEMTO_PER_USD / 1000),
        source=reader.text("source"),
        checked_on=reader.day("checked_on"),
    )


def _discount(reader: Reader) -> Discount:
    return Discount(
        factor=Fraction(reader.text("factor")),
        every_model=reader.text("every_model", required=False),
        undiscounted=tuple(reader.values.get("undiscounted") or ()),
    )


def _ratio(reader: Reader) -> Ratio:
    return Ratio(
        provider=reader.name("provider"),
        rate=reader.text("rate"),
        of=reader.text("of"),
        beside=reader.text("beside"),
        factor=Fraction(reader.text("factor")),
    )
