"""The resolver as data: what an emitter's words mean in the price book.

Every pattern is valid in RE2 and in `re` and means the same in both: no look-around,
`[0-9]` for a digit, `\\1` for a group. The collector's SQL is generated from the same
tables, so that both sides give the same answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from farthing.economics.prices.rates import Multiplier, SlotWindow, ToolFee

HOST_RE = r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?(\[[^\]]*\]|[^/:]+)"
"""Group 1 is the host of a URL, an authority or a bare host, lower-cased before."""

PROFILE_RE = (
    r"(?:^|/)(?:us-gov|us|eu|jp|au|apac|in|ca|sa|global)"
    r"\.(?:anthropic|amazon|meta|mistral|cohere|deepseek|openai|qwen|writer)\."
)
"""An inference profile of Bedrock's in a model reference, lower-cased before: it names
where a call may run, which the answer to it leaves out."""

OTHERS_RE = (
    r"(?:^|\.)bedrock-(?:runtime|mantle)[a-z-]*\.(?:.*\.)?(?:amazonaws\.com|api\.aws)$"
    r"|(?:^|[.-])aiplatform\.(?:[a-z]+\.rep\.)?googleapis\.com$"
    r"|^api\.(?:deepseek\.com|z\.ai)$"
)
"""A server that is not Anthropic's, though a client for Anthropic's protocol says so.
Whole clouds are not meant: a gateway that runs in one may well ask Anthropic."""


class Normalisation(NamedTuple):
    """One step on the way to a model id; steps apply in order, once each."""

    provider: str
    pattern: str
    replacement: str


class RegionOfRef(NamedTuple):
    """Group 1 of the pattern is the region that a model reference names."""

    provider: str
    pattern: str


class Unmapped(NamedTuple):
    """References that name a customer's own deployment rather than a model."""

    provider: str
    pattern: str


@dataclass(frozen=True)
class Rules:
    """The hand-written tables of the price book, and where the base came from."""

    base: str
    base_checked_on: str
    sources: dict[str, str]
    provider_aliases: dict[str, str]
    hosts: dict[str, str]
    own_hosts: str
    """Hosts of a caller's own: a gateway there says nothing of who serves the model."""
    normalisations: tuple[Normalisation, ...]
    suffix: str
    regions: tuple[RegionOfRef, ...]
    unmapped: tuple[Unmapped, ...]
    tiers: dict[str, int]
    speeds: dict[str, int]
    unserved_tiers: tuple[str, ...]
    audio_as_text: tuple[str, ...]
    claims_win: tuple[str, ...]
    multipliers: tuple[Multiplier, ...]
    tool_fees: tuple[ToolFee, ...]
    windows: tuple[SlotWindow, ...]
    calendars: dict[str, tuple[str, ...]]

    @cached_property
    def host_pattern(self) -> re.Pattern[str]:
        return re.compile(HOST_RE)

    @cached_property
    def own_host_pattern(self) -> re.Pattern[str]:
        return re.compile(self.own_hosts)

    @cached_property
    def suffix_pattern(self) -> re.Pattern[str]:
        return re.compile(self.suffix)

    @cached_property
    def steps(self) -> dict[str, tuple[tuple[re.Pattern[str], str], ...]]:
        """The normalisations of each provider, compiled, in order."""
        found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for provider, pattern, replacement in self.normalisations:
            step = (re.compile(pattern), replacement)
            found.setdefault(provider, []).append(step)
        return {provider: tuple(steps) for provider, steps in found.items()}

    @cached_property
    def factors(
        self,
    ) -> dict[str, tuple[tuple[re.Pattern[str], re.Pattern[str], Multiplier], ...]]:
        """The multipliers of each provider with their patterns compiled, in order."""
        found: dict[str, list[tuple[re.Pattern[str], re.Pattern[str], Multiplier]]] = {}
        for row in self.multipliers:
            entry = (re.compile(row.place), re.compile(row.model), row)
            found.setdefault(row.provider, []).append(entry)
        return {provider: tuple(rows) for provider, rows in found.items()}

    @cached_property
    def fees(self) -> dict[tuple[str, str, str], tuple[ToolFee, ...]]:
        """Tool fees by (provider, model, tool)."""
        found: dict[tuple[str, str, str], list[ToolFee]] = {}
        for fee in self.tool_fees:
            found.setdefault((fee.provider, fee.model, fee.tool), []).append(fee)
        return {key: tuple(fees) for key, fees in found.items()}

    @cached_property
    def windows_of(self) -> dict[tuple[str, str], tuple[SlotWindow, ...]]:
        """Time-of-day windows by (provider, model)."""
        found: dict[tuple[str, str], list[SlotWindow]] = {}
        for window in self.windows:
            found.setdefault((window.provider, window.model), []).append(window)
        return {key: tuple(windows) for key, windows in found.items()}

    @cached_property
    def holidays(self) -> dict[str, frozenset[str]]:
        """Days off as ISO dates, by calendar."""
        return {name: frozenset(days) for name, days in self.calendars.items()}

    def to_json(self) -> dict[str, Any]:
        """The tables as JSON values; `from_json` reads them back."""
        made: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if name in _ROWS:
                value = [_row(item) for item in value]
            made[name] = value
        return made

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rules:
        read = dict(data)
        for name, made in _ROWS.items():
            read[name] = tuple(made(*map(_frozen, item)) for item in data[name])
        for name in ("unserved_tiers", "audio_as_text", "claims_win"):
            read[name] = tuple(data[name])
        read["calendars"] = {k: tuple(v) for k, v in data["calendars"].items()}
        return cls(**read)


_ROWS: dict[str, Any] = {
    "normalisations": Normalisation,
    "regions": RegionOfRef,
    "unmapped": Unmapped,
    "multipliers": Multiplier,
    "tool_fees": ToolFee,
    "windows": SlotWindow,
}


def _row(item: Any) -> list[Any]:
    if isinstance(item, tuple):
        return list(item)
    return [getattr(item, name) for name in item.__dataclass_fields__]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
