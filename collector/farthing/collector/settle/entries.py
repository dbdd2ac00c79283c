"""Entries of the ledger as text, as the store writes and reads them, tab-separated.

A correction is an entry with a few fields changed; nothing of the others is understood
here, and so nothing of them is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

MONEY: Final = ("cost_usd", "tool_fee_usd", "claimed_usd")
TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "cache_audio_tokens",
    "output_tokens",
    "reasoning_tokens",
    "output_audio_tokens",
)
"""The buckets, in the order of the nine rates."""
MEASURES: Final = ("calls", "tool_calls", "errors", *TOKENS, "web_searches", *MONEY)
PRICE: Final = (
    "provider",
    "model",
    "model_match",
    "cost_usd",
    "tool_fee_usd",
    "cost_state",
    "cost_reason",
    "price_row",
    "catalogue",
    "flags",
)
"""What a new price changes of an entry."""
NOT_COPIED: Final = (
    "entry",
    "reason",
    "owner_trace_id",
    "owner_span_id",
    "attributes",
    "load",
    "ingested_at",
)
"""What a correction has of its own; attributes are looked up at the span."""
NULL: Final = "\\N"

_FLAG: Final = re.compile(r"'([^']*)'")

Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `sign` is -1 for one that takes another back; `fields`
    are then those of the other. `owner` is the span that a correction names."""

    is_told: bool
    load: str
    owner: tuple[str, str]
    end_us: int
    now: str
    sign: int
    fields: Fields


class Columns:
    """The columns that are copied, and where each stands."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._at = {name: place for place, name in enumerate(names)}
        self._pickers: dict[tuple[str, ...], Callable[[Fields], Fields]] = {}
        self._measures = [self._at[name] for name in MEASURES]
        priced = {self._at[name] for name in PRICE}
        self._unpriced = [i for i in range(len(names)) if i not in priced]

    def entry(self, line: str) -> Entry:
        """An entry as `entries.sql` gives it."""
        entry, load, trace, span, end_us, now, *fields = line.split("\t")
        sign = 1
        if entry != "span" and self.is_negative(fields):
            sign, fields = -1, self._negated(fields)
        is_told, owner = entry == "span", (trace, span)
        return Entry(is_told, load, owner, int(end_us), now, sign, tuple(fields))

    def is_negative(self, fields: Sequence[str]) -> bool:
        """Whether these are the fields of an entry that takes another back."""
        return any(fields[place].startswith("-") for place in self._measures)

    def is_nothing(self, fields: Sequence[str]) -> bool:
        """Whether no sum would change without these."""
        return all(fields[place] in ("0", NULL) for place in self._measures)

    def line(self, fields: Sequence[str], *, sign: int) -> str:
        """The fields as text, each measure with the sign."""
        return "\t".join(fields if sign > 0 else self._negated(fields))

    def value(self, name: str, fields: Fields) -> str:
        """One of the fields."""
        return fields[self._at[name]]

    def pick(self, names: tuple[str, ...], fields: Fields) -> Fields:
        """Some of the fields."""
        picker = self._pickers.get(names)
        if picker is None:
            picker = itemgetter(*(self._at[name] for name in names))
            self._pickers[names] = picker
        return picker(fields)

    def changed(self, fields: Fields, changes: Mapping[str, str]) -> Fields:
        """The fields with some of them changed."""
        made = list(fields)
        for name, value in changes.items():
            made[self._at[name]] = value
        return tuple(made)

    def but_for_price(self, fields: Fields) -> Fields:
        """What two entries of one call have in common that differ in price alone."""
        return tuple([fields[place] for place in self._unpriced])

    def _negated(self, fields: Sequence[str]) -> list[str]:
        made = list(fields)
        for place in self._measures:
            made[place] = _negated(made[place])
        return made


def flags_in(text: str) -> list[str]:
    """Flags as the store writes them, taken apart."""
    return _FLAG.findall(text)


def flags_text(flags: Sequence[str]) -> str:
    """Flags as the store writes them."""
    return f"[{','.join(repr(str(flag)) for flag in flags)}]"


def escaped(text: str) -> str:
    """Text as the store reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _negated(number: str) -> str:
    if number in ("0", NULL):
        return number
    return number[1:] if number.startswith("-") else f"-{number}"
