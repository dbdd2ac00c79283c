"""One call: what it was, and each multiplication behind what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from farthing.collector.explain import Account, Entry, words
from farthing.collector.explain import Part as Product
from farthing.collector.report import amounts
from farthing.collector.web.page.cells import UNKNOWN
from farthing.collector.web.page.tiles import Remark, Tile

_PROMPT: Final = (
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
    "cache_audio",
)  # fmt: skip
_OUTPUT: Final = ("output", "reasoning", "output_audio")
_FACTS: Final[Mapping[str, str]] = {
    "agent": "Agent",
    "step": "Step",
    "provider": "Provider",
    "model": "Model",
    "operation": "Operation",
    "tool_name": "Tool",
    "service_tier": "Tier",
    "finish_reasons": "Ended with",
    "error_type": "Error",
    "parent_span_id": "Called by",
}
"""Columns of `spans` that say what a call was, by what they are called."""
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the sum: units times a rate. `share` is of the whole, 0 to 1."""

    bucket: str
    units: str
    rate: str
    usd: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Sum:
    """An entry of the call: what it is, its parts, what it comes to."""

    title: str
    priced_by: tuple[str, ...]
    parts: tuple[Part, ...]
    comes_to: tuple[str, ...]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call as its page shows it."""

    title: str
    span_id: str
    ended: str
    tiles: tuple[Tile, ...]
    facts: tuple[tuple[str, str], ...]
    parent_span_id: str
    told: tuple[str, ...]
    sums: tuple[Sum, ...]
    net: tuple[str, ...]


def call(found: Account) -> Call:
    """The page of an account."""
    said = found.told.fields
    named = said["tool_name"] or said["model"] or said["agent"] or said["name"]
    return Call(
        title=f"{said['kind'].replace('_', ' ')} {named}",
        span_id=said["span_id"],
        ended=words.utc(said["time"]),
        tiles=tuple(_tiles(found)),
        facts=tuple((text, said[name]) for name, text in _FACTS.items() if said[name]),
        parent_span_id=said["parent_span_id"],
        told=tuple(words.told(found)),
        sums=tuple(map(_sum, found.entries)),
        net=tuple(words.net(found)),
    )


def _tiles(found: Account) -> Iterator[Tile]:
    said = found.told.fields
    if said["cost_state"]:
        partial = said["cost_state"] == "partial"
        yield _tile(
            "Cost",
            UNKNOWN
            if found.net_usd is None
            else amounts.money(found.net_usd, lower_bound=partial),
            said["cost_reason"].replace("_", " ") or said["cost_state"],
        )
        prompt = sum(said[f"{name}_tokens"] for name in _PROMPT)
        cached = said["cache_read_tokens"] + said["cache_audio_tokens"]
        share = amounts.share(cached / prompt) if prompt else UNKNOWN
        yield _tile("Prompt", f"{amounts.count(prompt)}", f"tokens, {share} from cache")
        output = sum(said[f"{name}_tokens"] for name in _OUTPUT)
        thought = amounts.count(said["reasoning_tokens"])
        yield _tile("Output", amounts.count(output), f"tokens, {thought} reasoning")
    first = said["first_chunk_us"]
    yield _tile(
        "Took",
        amounts.duration(said["duration_us"] / _US),
        f"{amounts.duration(first / _US)} to the first chunk" if first else "",
    )


def _tile(title: str, value: str, remark: str) -> Tile:
    remarks = (Remark(remark),) if remark else ()
    return Tile("call", title, value, "", remarks, "", "", "")


def _sum(entry: Entry) -> Sum:
    known = [abs(part.usd) for part in entry.parts if part.usd is not None]
    whole = sum(known, Decimal(0))
    return Sum(
        title=words.title(entry),
        priced_by=tuple(words.priced_by(entry)),
        parts=tuple(_part(part, whole) for part in entry.parts),
        comes_to=tuple(words.comes_to(entry)),
        adds_up=entry.adds_up,
    )


def _part(part: Product, whole: Decimal) -> Part:
    bucket, units, rate, usd = words.part_cells(part)
    share = float(abs(part.usd) / whole) if part.usd is not None and whole else None
    return Part(bucket.replace("_", " "), units, rate, usd, share)
