"""The cost of one call: integers all the way, Decimal on the way out, never a float."""

from __future__ import annotations

from dataclasses import replace

from farthing.economics.prices.call import Call, Cost, Flag, Part, Reason, State
from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.levels import scaled
from farthing.economics.prices.rates import (
    FEMTO_PER_USD,
    RATE_NAMES,
    SLOT_UNDECIDED,
    Ctx,
    Kind,
    Level,
    Multiplier,
    RateKey,
    RateRow,
)
from farthing.economics.prices.resolver import Resolution, fold
from farthing.economics.prices.slots import slot_of
from farthing.economics.usage import MAX_BUCKET, TokenBuckets

REQUEST_FEE = "request"
MAX_CLAIM_USD = 1_000_000
"""A reported cost above this is no call's."""


class _Unpriced(Exception):
    """Carries the reason out of the steps of `price`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def price(call: Call, catalogue: Catalogue) -> Cost:
    """The cost of a call. Never raises: what is not known is said, not guessed."""
    found = catalogue.resolve(call.provider, call.host, call.ref)
    flags: list[Flag] = []
    if call.invalid_usage:
        reason = Reason.INVALID_USAGE
        listed = _cost(found, catalogue, State.UNPRICED, reason=reason)
    elif call.buckets is None:
        listed = _cost(found, catalogue, State.NO_USAGE)
    else:
        try:
            listed = _list_price(call, call.buckets, found, catalogue, flags)
        except _Unpriced as stop:
            listed = _cost(
                found, catalogue, State.UNPRICED, reason=stop.reason, flags=flags
            )
    return _with_claim(call, listed, catalogue)


def _list_price(
    call: Call,
    buckets: TokenBuckets,
    found: Resolution,
    catalogue: Catalogue,
    flags: list[Flag],
) -> Cost:
    counts = _counts(buckets)
    if min(counts) < 0 or max(counts) > MAX_BUCKET:
        raise _Unpriced(Reason.INVALID_USAGE)
    if buckets.cache_write_unknown:
        flags.append(Flag.TTL_ASSUMED)
    if found.reason is not None:
        raise _Unpriced(Reason(found.reason))
    if found.host_assumed:
        flags.append(Flag.HOST_ASSUMED)
    if _models_differ(call, found, catalogue):
        flags.append(Flag.MODELS_DIFFER)
    at_s = int(call.at.timestamp())
    row = _row(call, found, at_s, catalogue, flags)
    rates = _rates_at(row, buckets.total_input)
    factor = _factor(call, found, at_s, catalogue, flags)
    if factor is not None:
        rates = scaled(rates, factor.numerator, factor.denominator)
    parts = _parts(counts, rates) + _fees(call, found, at_s, catalogue)
    flags.extend(Flag(note) for note in row.notes)
    judged = _judge(call, parts, row, found, catalogue, flags)
    return judged if factor is None else replace(judged, factor=factor.word)


def _counts(buckets: TokenBuckets) -> tuple[int, ...]:
    """The counts that the nine rates multiply; an unknown lifetime is the short one."""
    return (
        buckets.input,
        buckets.cache_read,
        buckets.cache_write_5m + buckets.cache_write_unknown,
        buckets.cache_write_1h,
        buckets.input_audio,
        buckets.cache_audio,
        buckets.output,
        buckets.reasoning,
        buckets.output_audio,
    )


def served_ctx(call: Call, catalogue: Catalogue) -> int | None:
    """How the call was served, or None for a word or combination we do not know."""
    rules = catalogue.rules
    codes = {
        rules.tiers.get(fold(call.service_tier)),
        rules.speeds.get(fold(call.speed)),
        int(Ctx.BATCH if call.batch else Ctx.STANDARD),
    } - {int(Ctx.STANDARD)}
    if not codes:
        return int(Ctx.STANDARD)
    return codes.pop() if len(codes) == 1 else None


def _row(
    call: Call,
    found: Resolution,
    at_s: int,
    catalogue: Catalogue,
    flags: list[Flag],
) -> RateRow:
    ctx = served_ctx(call, catalogue)
    if ctx is None:
        raise _Unpriced(Reason.NO_RATE_FOR_TIER)
    if fold(call.service_tier) in catalogue.rules.unserved_tiers:
        flags.append(Flag.TIER_ASSUMED)
    slot = slot_of(catalogue.rules, found.provider, found.model, at_s)
    key = RateKey(found.provider, found.model, ctx, slot)
    row = catalogue.row(key, at_s)
    if row is None:
        raise _Unpriced(_why_no_row(key, catalogue))
    return row


def _why_no_row(key: RateKey, catalogue: Catalogue) -> Reason:
    if key.slot == SLOT_UNDECIDED:
        return Reason.CALENDAR_UNKNOWN
    if catalogue.rows(key):
        return Reason.NO_RATE_AT_TIME
    return Reason.NO_PRICE if key.ctx == Ctx.STANDARD else Reason.NO_RATE_FOR_TIER


def _rates_at(row: RateRow, total_input: int) -> Level:
    passed = 0
    for threshold in row.thresholds:
        if total_input > threshold:
            passed += 1
    return row.levels[passed]


def _factor(
    call: Call,
    found: Resolution,
    at_s: int,
    catalogue: Catalogue,
    flags: list[Flag],
) -> Multiplier | None:
    """The geography's factor; None for 1. Raises for a place without a known price."""
    entries = catalogue.rules.factors.get(found.provider)
    if entries is None:
        return None
    region = fold(call.region) or found.region
    words = (fold(call.geo), region, fold(call.deployment), fold(call.host))
    place = "|".join(words)
    for place_re, model_re, row in entries:
        if not row.valid_from <= at_s < row.valid_to:
            continue
        if place_re.search(place) and model_re.search(found.model):
            if row.numerator == 0:
                raise _Unpriced(Reason.NO_RATE_FOR_PLACE)
            if row.label == Flag.DEPLOYMENT_ASSUMED:
                flags.append(Flag.DEPLOYMENT_ASSUMED)
            if row.numerator == row.denominator:
                return None
            flags.append(Flag.MULTIPLIER)
            return row
    return None


def _parts(counts: tuple[int, ...], rates: Level) -> tuple[Part, ...]:
    return tuple(
        Part(name, count, None if rate is None else count * rate)
        for name, count, rate in zip(RATE_NAMES, counts, rates, strict=True)
        if count
    )


def _fees(
    call: Call, found: Resolution, at_s: int, catalogue: Catalogue
) -> tuple[Part, ...]:
    """Tool fees, and the fee per request of models that charge one."""
    uses = {tool: count for tool, count in call.tool_uses.items() if count > 0}
    if _fee(found, REQUEST_FEE, at_s, catalogue) is not None:
        uses[REQUEST_FEE] = 1
    if not uses:
        return ()
    made = []
    for tool, count in uses.items():
        fee = _fee(found, tool, at_s, catalogue)
        made.append(Part(f"tool:{tool}", count, None if fee is None else count * fee))
    return tuple(made)


def _fee(found: Resolution, tool: str, at_s: int, catalogue: Catalogue) -> int | None:
    for model in (found.model, ""):
        for fee in catalogue.rules.fees.get((found.provider, model, tool), ()):
            if fee.valid_from <= at_s < fee.valid_to:
                return fee.femto_usd
    return None


def _judge(
    call: Call,
    parts: tuple[Part, ...],
    row: RateRow,
    found: Resolution,
    catalogue: Catalogue,
    flags: list[Flag],
) -> Cost:
    known = [part.femto_usd for part in parts if part.femto_usd is not None]
    state, reason = State.PRICED, None
    if row.kind is not Kind.PRICED:
        state = State(row.kind)
    elif len(known) < len(parts) or call.usage_incomplete:
        reason = Reason.USAGE_INCOMPLETE
        if len(known) < len(parts):
            reason = Reason.NO_RATE_FOR_BUCKET
        state = State.PARTIAL if known else State.UNPRICED
    listed = sum(known) if state is not State.UNPRICED else None
    covered = state in (State.FREE, State.FLAT_RATE)
    return _cost(
        found,
        catalogue,
        state,
        reason=reason,
        femto_usd=0 if covered else listed,
        list_femto_usd=listed,
        parts=parts,
        row_id=row.row_id,
        flags=flags,
    )


def _models_differ(call: Call, found: Resolution, catalogue: Catalogue) -> bool:
    """Whether the requested model is another listed model than the one that served."""
    asked = catalogue.models.get((found.provider, fold(call.request_model)))
    return asked is not None and asked.model != found.model


def _with_claim(call: Call, listed: Cost, catalogue: Catalogue) -> Cost:
    """A provider that reports what it charged knows best, unless it says 0."""
    claimed = call.claimed_usd
    if claimed is None or listed.provider not in catalogue.rules.claims_win:
        return listed
    if not claimed.is_finite() or not 0 < claimed <= MAX_CLAIM_USD:
        return listed
    femto = int(claimed * FEMTO_PER_USD)
    if femto == 0:
        return listed
    return Cost(
        state=State.PRICED,
        catalogue_sha256=listed.catalogue_sha256,
        femto_usd=femto,
        list_femto_usd=listed.list_femto_usd,
        parts=listed.parts,
        provider=listed.provider,
        model=listed.model,
        match=listed.match,
        row_id=listed.row_id,
        flags=(*listed.flags, Flag.PROVIDER_REPORTED),
        factor=listed.factor,
    )


def _cost(
    found: Resolution,
    catalogue: Catalogue,
    state: State,
    *,
    reason: Reason | None = None,
    femto_usd: int | None = None,
    list_femto_usd: int | None = None,
    parts: tuple[Part, ...] = (),
    row_id: int = 0,
    flags: list[Flag] | None = None,
) -> Cost:
    return Cost(
        state=state,
        catalogue_sha256=catalogue.sha256,
        reason=reason,
        femto_usd=femto_usd,
        list_femto_usd=list_femto_usd,
        parts=parts,
        provider=found.provider,
        model=found.model,
        match=found.match,
        row_id=row_id,
        flags=tuple(flags or ()),
    )
