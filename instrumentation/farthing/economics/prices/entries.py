"""Dated price entries as people write them: checked, all problems at once.

The overlay and the users' price files share this form. Values arrive as text (from
YAML or JSON read without numbers), so that 0.1 never passes through a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from farthing.economics.prices.levels import level
from farthing.economics.prices.packaged import seconds
from farthing.economics.prices.rates import (
    MAX_LEVELS,
    OPEN_END,
    RATE_NAMES,
    Ctx,
    Kind,
    Level,
    Note,
    Origin,
    RateRow,
)

CTX_WORDS = {
    "standard": Ctx.STANDARD,
    "batch": Ctx.BATCH,
    "flex": Ctx.FLEX,
    "priority": Ctx.PRIORITY,
    "fast": Ctx.FAST_TIER,
    "speed_fast": Ctx.FAST_SPEED,
    "ultrafast": Ctx.ULTRAFAST,
}
ENTRY_KEYS = frozenset({"provider", "model", "ctx", "slot", "from", "to"}) | {
    *("usd_per_mtok", "above", "kind", "derived", "unconfirmed"),
    *("source", "checked_on", "note"),
}
_MOST_USD_PER_MTOK = Decimal(1_000_000)


@dataclass
class Problems:
    """What is wrong with a file, each with its place and what to do."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, where: str, what: str, *, line: int | None = None) -> None:
        place = f"{self.file}:{line}" if line else self.file
        self.found.append(f"{place}: {where}: {what}")


class Entry(dict[str, Any]):
    """A mapping read from a file, with the line it begins at (None if unknown)."""

    line: int | None = None


@dataclass(frozen=True)
class Reader:
    """Reads one mapping; every complaint names the same place."""

    values: Mapping[str, Any]
    where: str
    problems: Problems

    @property
    def line(self) -> int | None:
        return getattr(self.values, "line", None)

    def complain(self, what: str) -> None:
        self.problems.add(self.where, what, line=self.line)

    def keys(self, allowed: Iterable[str]) -> None:
        """Complain about every key that is not allowed."""
        for key in sorted(set(self.values) - set(allowed)):
            self.complain(f"unknown key {key!r}; allowed: {', '.join(sorted(allowed))}")

    def text(self, key: str, *, required: bool = True, default: str = "") -> str:
        value = self.values.get(key)
        if value is None or value == "":
            if required:
                self.complain(f"{key!r} is missing; give it a text")
            return default
        if not isinstance(value, str) or "\t" in value or "\n" in value:
            self.complain(f"{key!r} must be one line of text, not {value!r}")
            return default
        return value

    def name(self, key: str, *, required: bool = True) -> str:
        """A provider, model or id: folded to lower case, without blanks."""
        value = self.text(key, required=required).strip().lower()
        if " " in value:
            self.complain(f"{key!r} must not contain blanks: {value!r}")
        return value

    def instant(self, key: str, *, default: int) -> int:
        """An ISO date or UTC instant in epoch seconds."""
        value = self.text(key, required=False)
        if not value:
            return default
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or ("T" in value and moment.tzinfo is None):
            self.complain(
                f"{key!r} must be a date such as 2026-01-31 or an instant such as "
                f"2026-01-31T16:00:00Z, not {value!r}"
            )
            return default
        return seconds(value)

    def day(self, key: str, *, required: bool = True) -> str:
        value = self.text(key, required=required)
        try:
            return date.fromisoformat(value).isoformat() if value else ""
        except ValueError:
            self.complain(f"{key!r} must be a date such as 2026-01-31, not {value!r}")
            return ""

    def number(self, key: str, value: Any) -> Decimal | None:
        """A price in USD: finite, not negative, written as a plain number."""
        try:
            number = Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite():
            self.complain(f"{key} must be a number such as 2.50, not {value!r}")
            return None
        if number < 0:
            self.complain(f"{key} must not be negative: {value}")
            return None
        if number > _MOST_USD_PER_MTOK:
            self.complain(f"{key} is over {_MOST_USD_PER_MTOK}: is the unit USD/Mtok?")
            return None
        return number

    def integer(self, key: str, *, default: int) -> int:
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, str) or not value.isdecimal():
            self.complain(f"{key!r} must be a whole number, not {value!r}")
            return default
        return int(value)

    def truth(self, key: str) -> bool:
        value = self.values.get(key, "false")
        if value not in ("true", "false"):
            self.complain(f"{key!r} must be true or false, not {value!r}")
        return bool(value == "true")


def mappings(
    values: Mapping[str, Any], key: str, problems: Problems
) -> Iterator[Reader]:
    """A reader for each mapping of a list, with its place for complaints."""
    items = values.get(key) or []
    if not isinstance(items, list):
        problems.add(key, "must be a list of entries, each beginning with '- '")
        return
    for number, item in enumerate(items, start=1):
        where = f"{key} entry {number}"
        if isinstance(item, Mapping):
            yield Reader(item, where, problems)
        else:
            problems.add(where, f"must be a mapping of keys, not {item!r}")


def read_row(
    reader: Reader, *, origin: Origin, audio_as_text: Iterable[str], sourced: bool
) -> RateRow | None:
    """A rate row from one entry, or None (with complaints) if it is wrong.

    `sourced` makes `source` and `checked_on` mandatory.
    """
    before = len(reader.problems.found)
    reader.keys(ENTRY_KEYS)
    provider, model = reader.name("provider"), reader.name("model")
    kind = _kind(reader, origin)
    as_text = provider in audio_as_text
    thresholds, levels = _levels(reader, kind, audio_as_text=as_text)
    valid_from = reader.instant("from", default=0)
    valid_to = reader.instant("to", default=OPEN_END)
    if valid_to <= valid_from:
        reader.complain("'to' must be later than 'from'")
    row = RateRow(
        provider=provider,
        model=model,
        ctx=_ctx(reader),
        slot=reader.integer("slot", default=0),
        valid_from=valid_from,
        valid_to=valid_to,
        thresholds=thresholds,
        levels=levels,
        kind=kind,
        origin=origin,
        source=reader.text("source", required=sourced),
        checked_on=reader.day("checked_on", required=sourced),
        notes=_notes(reader),
    )
    return row if len(reader.problems.found) == before else None


def overlaps(rows: Iterable[RateRow], problems: Problems) -> None:
    """Complain about entries of one key whose periods overlap."""
    ordered = sorted(rows, key=lambda row: (row.key, row.valid_from))
    for earlier, later in pairwise(ordered):
        if earlier.key == later.key and later.valid_from < earlier.valid_to:
            problems.add(
                f"prices of {later.provider}/{later.model}",
                "two entries cover the same time; give the earlier one a 'to'",
            )


def _ctx(reader: Reader) -> int:
    word = reader.text("ctx", required=False, default="standard")
    if word not in CTX_WORDS:
        reader.complain(f"'ctx' must be one of {', '.join(CTX_WORDS)}, not {word!r}")
        return int(Ctx.STANDARD)
    return int(CTX_WORDS[word])


def _kind(reader: Reader, origin: Origin) -> Kind:
    word = reader.text("kind", required=False, default="priced")
    allowed = [Kind.PRICED.value, Kind.FREE.value]
    if origin is Origin.USER:
        allowed.append(Kind.FLAT_RATE.value)
    if word not in allowed:
        reader.complain(f"'kind' must be one of {', '.join(allowed)}, not {word!r}")
        return Kind.PRICED
    return Kind(word)


def _notes(reader: Reader) -> tuple[Note, ...]:
    named = {"derived": Note.DERIVED, "unconfirmed": Note.UNCONFIRMED}
    return tuple(note for key, note in named.items() if reader.truth(key))


def _levels(
    reader: Reader, kind: Kind, *, audio_as_text: bool
) -> tuple[tuple[int, ...], tuple[Level, ...]]:
    if kind is Kind.FREE:
        return (), ((0,) * len(RATE_NAMES),)
    prices = _prices(reader, reader.values.get("usd_per_mtok"), "usd_per_mtok")
    thresholds: list[int] = []
    levels = [level(prices, audio_as_text=audio_as_text)]
    for step in mappings(reader.values, "above", reader.problems):
        inner = Reader(step.values, f"{reader.where}, {step.where}", reader.problems)
        inner.keys({"tokens", "usd_per_mtok"})
        thresholds.append(inner.integer("tokens", default=0))
        dearer = _prices(inner, inner.values.get("usd_per_mtok"), "usd_per_mtok")
        levels.append(level(dearer, audio_as_text=audio_as_text))
    if thresholds != sorted(set(thresholds)) or 0 in thresholds:
        reader.complain("'above' must list growing token counts, each more than 0")
    if len(levels) > MAX_LEVELS:
        reader.complain(f"'above' may list {MAX_LEVELS - 1} steps at most")
    return tuple(thresholds), tuple(levels)


def _prices(reader: Reader, given: Any, key: str) -> dict[str, Decimal]:
    if not isinstance(given, Mapping) or not given:
        reader.complain(
            f"{key!r} is missing; give USD per million tokens, e.g. "
            "{input: 2.50, cache_read: 1.25, output: 10}"
        )
        return {}
    read: dict[str, Decimal] = {}
    for name, value in given.items():
        if name not in RATE_NAMES:
            reader.complain(
                f"{key}.{name} is not a rate; the rates are {', '.join(RATE_NAMES)}"
            )
            continue
        number = reader.number(f"{key}.{name}", value)
        if number is not None:
            read[name] = number
    return read
