"""Who owns a call, and what the other tellings add to the owner's entry.

The best-informed telling owns the call. What it leaves out and another one says is
filled in, as far as both agree on the sums; a call of which the buckets have changed is
priced again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from farthing.collector.dialects import estimating
from farthing.collector.settle.entries import NULL, TOKENS, flags_in, flags_text
from farthing.collector.settle.groups import ancestors
from farthing.collector.settle.telling import WHOSE, Key, Telling
from farthing.economics.prices import Call, Catalogue, Cost, Flag, State, price
from farthing.economics.prices.rates import FACTOR_WORD
from farthing.economics.usage import INCOMPLETE, TokenBuckets, UsageFlag

_RUN: Final = ("task_type", "step", "business_unit", "team", "user", "conversation_id")
"""What belongs to a run: taken from whoever tells which run it was."""
_NAMES: Final = ("response_id", "finish_reasons", "tool_name", "tool_call_id")
_MODEL: Final = ("provider", "host", "request_model", "response_model")
_WAY: Final = ("service_tier", "speed", "geo", "region", "deployment")
_EXTRA: Final = ("batch", "web_searches", "claimed_usd")
_PRICED_BY: Final = (*TOKENS, *_MODEL, *_WAY, *_EXTRA, "flags")
_UNKNOWN_MODEL: Final = (
    "unknown_provider",
    "unknown_host",
    "no_model",
    "unknown_model",
    "deployment_not_mapped",
)
_FLAGS_OF_PRICE: Final = frozenset(Flag) - {Flag.TTL_ASSUMED}
_BUCKETS: Final = tuple(name.removesuffix("_tokens") for name in TOKENS)
_INPUT, _READ, _SHORT, _LONG, _AUDIO, _READ_AUDIO, _OUTPUT, _THOUGHT, _SPOKEN = range(9)
_PARTS: Final = (
    # What one telling has in its left bucket, a better one has in the right one.
    (_INPUT, _READ),
    (_INPUT, _SHORT),
    (_INPUT, _LONG),
    (_INPUT, _AUDIO),
    (_READ, _READ_AUDIO),
    (_OUTPUT, _THOUGHT),
    (_OUTPUT, _SPOKEN),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ranked(tellings: Sequence[Telling]) -> list[Telling]:
    """The tellings of one call, its owner first."""
    if not tellings[0].is_tool:
        return sorted(tellings, key=lambda telling: telling.rank)
    among = {telling.key: telling for telling in tellings}
    return sorted(tellings, key=lambda telling: _outermost(telling, among))


def _outermost(telling: Telling, among: Mapping[Key, Telling]) -> tuple[object, ...]:
    depth = len(ancestors(telling, among))
    return depth, telling.start_us, -telling.end_us, telling.key


def completed(
    owner: Telling, others: Sequence[Telling], catalogue: Catalogue
) -> dict[str, str]:
    """What changes of the owner's entry by its siblings, the best informed first."""
    changes = {**_attribution(owner, others), **_filled(owner, others, _NAMES)}
    if owner.is_tool or not owner.has_usage or not owner.is_counted:
        return changes
    told = {**_usage(owner, others), **_way(owner, others)}
    if told:
        changes.update(_priced(owner, told, catalogue))
    return changes


def _attribution(owner: Telling, others: Sequence[Telling]) -> dict[str, str]:
    """Who pays: the run of whoever knows it best, and what nobody else says."""
    if all(telling.whose == owner.whose for telling in others):
        return {}
    best = max(others, key=lambda telling: telling.run_evidence)
    if best.run_evidence <= owner.run_evidence:
        return _filled(owner, others, WHOSE)
    changes = _filled(owner, [best, *others], WHOSE)
    for name in ("run_id", *_RUN):
        if best[name] and best[name] != owner[name]:
            changes[name] = best[name]
    return changes


def _filled(
    owner: Telling, others: Iterable[Telling], names: Iterable[str]
) -> dict[str, str]:
    """What the owner leaves empty and another one says."""
    found = {}
    for name in names:
        if not owner[name]:
            said = (telling[name] for telling in others)
            value = next(filter(None, said), "")
            if value:
                found[name] = value
    return found


def _way(owner: Telling, others: Sequence[Telling]) -> dict[str, str]:
    """How it was served; and by what model, where the owner's has no price."""
    changes = _filled(owner, others, _WAY)
    if owner.cost_reason in _UNKNOWN_MODEL:
        known = (t for t in others if t.has_usage and t["cost_state"] != "unpriced")
        telling = next(known, None)
        if telling is not None:
            changes.update({name: telling[name] for name in _MODEL})
    if any(telling["batch"] == "true" for telling in others):
        changes["batch"] = "true"
    return _differing(owner, changes)


def _usage(owner: Telling, others: Sequence[Telling]) -> dict[str, str]:
    """The owner's counts with what the others split off them."""
    tokens, flags = list(owner.tokens), flags_in(owner.flags)
    for telling in others:
        if telling.has_usage:
            _split(tokens, flags, telling)
    changes = {}
    if tuple(tokens) != owner.tokens:
        changes = dict(zip(TOKENS, map(str, tokens), strict=True))
    if any(UsageFlag.PARTIAL in telling.flags for telling in others):
        flags += [UsageFlag.PARTIAL] * (UsageFlag.PARTIAL not in flags)
    if flags != flags_in(owner.flags):
        changes["flags"] = flags_text(flags)
    # A parent that sums its children says nothing of this one.
    alike = [t for t in others if t.has_usage and sum(t.tokens) == sum(tokens)]
    if owner["web_searches"] == "0":
        searches = (int(telling["web_searches"]) for telling in alike)
        changes["web_searches"] = str(max(searches, default=0))
    if owner["claimed_usd"] == NULL:
        claims = (_claimed(telling["claimed_usd"], telling) for telling in alike)
        changes["claimed_usd"] = next((usd for usd in claims if usd != NULL), NULL)
    return _differing(owner, changes)


def _claimed(usd: str, telling: Telling) -> str:
    """What a telling says was charged; an estimate of its emitter's is not that."""
    return NULL if telling["dialect"] in estimating() else usd


def _differing(owner: Telling, changes: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in changes.items() if value != owner[name]}


def _split(tokens: list[int], flags: list[str], telling: Telling) -> None:
    """Split the owner's buckets as finely as another telling of the same sums does."""
    theirs = telling.tokens
    agrees = sum(tokens[:_OUTPUT]) == sum(theirs[:_OUTPUT])
    for whole, part in _PARTS:
        if whole == _OUTPUT:
            agrees = sum(tokens[_OUTPUT:]) == sum(theirs[_OUTPUT:])
        if agrees and not tokens[part] and 0 < theirs[part] <= tokens[whole]:
            tokens[part] = theirs[part]
            tokens[whole] -= theirs[part]
            if part == _SHORT and Flag.TTL_ASSUMED in telling.flags:
                flags.append(Flag.TTL_ASSUMED)
    if Flag.TTL_ASSUMED in flags and Flag.TTL_ASSUMED not in telling.flags:
        _split_writes(tokens, flags, theirs)


def _split_writes(tokens: list[int], flags: list[str], theirs: Sequence[int]) -> None:
    """The lifetimes of cache writes, where the owner does not tell them."""
    agrees = sum(tokens[:_OUTPUT]) == sum(theirs[:_OUTPUT])
    if agrees and tokens[_SHORT] + tokens[_LONG] == theirs[_SHORT] + theirs[_LONG]:
        flags.remove(Flag.TTL_ASSUMED)
        tokens[_SHORT], tokens[_LONG] = theirs[_SHORT], theirs[_LONG]


def _priced(
    owner: Telling, told: Mapping[str, str], catalogue: Catalogue
) -> dict[str, str]:
    """What was told, and what it costs."""
    said = {name: told.get(name, owner[name]) for name in _PRICED_BY}
    return {**told, **_cost_fields(price(_call(said, owner), catalogue), said)}


def _call(said: Mapping[str, str], owner: Telling) -> Call:
    counts = [int(said[name]) for name in TOKENS]
    claimed = _claimed(said["claimed_usd"], owner)
    return Call(
        provider=said["provider"],
        at=_EPOCH + timedelta(microseconds=owner.end_us),
        buckets=TokenBuckets(**dict(zip(_BUCKETS, counts, strict=True))),
        response_model=said["response_model"],
        request_model=said["request_model"],
        host=said["host"],
        service_tier=said["service_tier"],
        batch=said["batch"] == "true",
        speed=said["speed"],
        geo=said["geo"],
        region=said["region"],
        deployment=said["deployment"],
        tool_uses={"web_search": int(said["web_searches"])},
        claimed_usd=None if claimed == NULL else Decimal(claimed),
        usage_incomplete=not INCOMPLETE.isdisjoint(flags_in(said["flags"])),
    )


def _cost_fields(cost: Cost, said: Mapping[str, str]) -> dict[str, str]:
    """A cost as columns, as decode.sql writes them."""
    kept = [
        flag
        for flag in flags_in(said["flags"])
        if flag not in _FLAGS_OF_PRICE and not flag.startswith(FACTOR_WORD)
    ]
    flags = [*kept, *(str(f) for f in cost.words if f != Flag.TTL_ASSUMED)]
    has_row = cost.row_id != 0
    return {
        **({"model": cost.model, "provider": cost.provider} if cost.model else {}),
        "model_match": cost.match,
        "cost_usd": _money(cost.usd),
        "tool_fee_usd": _money(_fee_usd(cost)),
        "cost_state": str(cost.state),
        "cost_reason": str(cost.reason or ""),
        "price_row": str(cost.row_id),
        "catalogue": cost.catalogue_sha256 if has_row else "",
        "flags": flags_text(flags),
    }


def _fee_usd(cost: Cost) -> Decimal | None:
    """Fees for tools: known where the price list's own figure is what counts."""
    is_listed = cost.state in (State.PRICED, State.PARTIAL)
    if not is_listed or Flag.PROVIDER_REPORTED in cost.flags:
        return None
    fees = (
        usd for name, usd in cost.components_usd.items() if name.startswith("tool:")
    )
    return sum(fees, Decimal(0))


def _money(usd: Decimal | None) -> str:
    return NULL if usd is None else f"{usd.normalize():f}"
