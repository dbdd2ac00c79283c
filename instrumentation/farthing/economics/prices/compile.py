"""From a base catalogue and the overlay to rows, ids and rules.

The base arrives in a neutral form (`BaseModel`), so that nothing here knows where it
came from. The order is: base, overlay, variants before their first day, overlay's
variants, multiples, models that a provider resells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from farthing.economics.prices.ids import collect, dated
from farthing.economics.prices.levels import lay_over, scaled_rate
from farthing.economics.prices.overlay import Overlay, OwnModel, Ratio
from farthing.economics.prices.rates import (
    RATE_NAMES,
    Ctx,
    Level,
    ModelId,
    RateRow,
    ToolFee,
)
from farthing.economics.prices.resellers import Reseller, resell
from farthing.economics.prices.rules import Rules
from farthing.economics.prices.variants import History, back_date


@dataclass(frozen=True)
class BaseModel:
    """One model of the base: its rows, the ids that mean it, its tool fees."""

    provider: str
    model: str
    ids: tuple[str, ...]
    rows: tuple[RateRow, ...]
    fees: tuple[ToolFee, ...] = ()
    timed: bool = False
    """The base prices it by the time of day: only the overlay's rows count."""


@dataclass(frozen=True)
class Compiled:
    """The content of a catalogue."""

    rows: tuple[RateRow, ...]
    models: tuple[ModelId, ...]
    rules: Rules


def compile_catalogue(
    base: Iterable[BaseModel],
    overlay: Overlay,
    *,
    resellers: Iterable[Reseller] = (),
    base_name: str,
    base_checked_on: str,
    sources: dict[str, str],
) -> Compiled:
    """Put base and overlay together. Raises ValueError where they do not fit."""
    models = list(base)
    rules = _rules(models, overlay, base_name, base_checked_on, sources)
    history = _history(models, overlay)
    named = ((m.provider, name, m.model) for m in models for name in m.ids)
    ids = collect(named, overlay, rules)
    for reseller in resellers:
        resell(reseller, _sellable(models, overlay), history, ids, rules)
    rows = [row for key in sorted(history) for row in history[key]]
    return Compiled(tuple(rows), tuple(dated(ids, history, rules, overlay)), rules)


def _sellable(models: list[BaseModel], overlay: Overlay) -> set[tuple[str, str]]:
    """What a reseller may sell: the base's models, and snapshots split off them.

    Neither fine-tunes nor time-of-day prices are resold.
    """
    sold = {(m.provider, m.model) for m in models if not m.timed}
    sold |= {(own.provider, own.model) for own in overlay.models if own.copy_of}
    return {(maker, model) for maker, model in sold if not model.startswith("ft:")}


def _history(models: list[BaseModel], overlay: Overlay) -> History:
    history: History = {}
    for model in models:
        if model.timed:
            _check_timed(model, overlay)
            continue
        for row in model.rows:
            history.setdefault(row.key, []).append(row)
    for own in overlay.models:
        _copy(own, history)
    for row in overlay.rows:
        if row.ctx == Ctx.STANDARD:
            history[row.key] = lay_over(history.get(row.key, []), row)
    back_date(history, overlay)
    for row in overlay.rows:
        if row.ctx != Ctx.STANDARD:
            history[row.key] = lay_over(history.get(row.key, []), row)
    for key, rows in history.items():
        history[key] = _merged([_with_ratios(row, overlay) for row in rows])
    return history


def _check_timed(model: BaseModel, overlay: Overlay) -> None:
    if not any(
        (w.provider, w.model) == (model.provider, model.model) for w in overlay.windows
    ):
        raise ValueError(
            f"the base prices {model.provider}/{model.model} by the time of day; "
            "enter its windows and prices in overlay.yaml"
        )


def _copy(own: OwnModel, history: History) -> None:
    if not own.copy_of:
        return
    for key in list(history):
        if (key.provider, key.model) == (own.provider, own.copy_of):
            history[key._replace(model=own.model)] = [
                replace(row, model=own.model) for row in history[key]
            ]


# --- rows ---------------------------------------------------------------------------


def _with_ratios(row: RateRow, overlay: Overlay) -> RateRow:
    for ratio in overlay.ratios:
        if ratio.provider == row.provider:
            levels = tuple(_multiple(rates, ratio) for rates in row.levels)
            row = replace(row, levels=levels)
    return row


def _multiple(rates: Level, ratio: Ratio) -> Level:
    """The rates with one that is missing filled in as its multiple of another.

    Only beside a surcharged one: a provider without a surcharge has no such rate.
    """
    rate, of, beside = map(RATE_NAMES.index, (ratio.rate, ratio.of, ratio.beside))
    plain = rates[of]
    if rates[rate] is not None or plain is None or rates[beside] == plain:
        return rates
    made = list(rates)
    made[rate] = scaled_rate(plain, ratio.factor.numerator, ratio.factor.denominator)
    return tuple(made)


def _merged(rows: list[RateRow]) -> list[RateRow]:
    """Neighbours that differ in nothing but their period become one row."""
    made: list[RateRow] = []
    for row in rows:
        last = made[-1] if made else None
        if last is not None and last.valid_to == row.valid_from:
            joined = last.between(last.valid_from, row.valid_to)
            if joined == row.between(last.valid_from, row.valid_to):
                made[-1] = joined
                continue
        made.append(row)
    return made


# --- rules --------------------------------------------------------------------------


def _rules(
    models: list[BaseModel],
    overlay: Overlay,
    base_name: str,
    base_checked_on: str,
    sources: dict[str, str],
) -> Rules:
    aliases = {model.provider: model.provider for model in models}
    aliases |= overlay.provider_aliases
    return Rules(
        base=base_name,
        base_checked_on=base_checked_on,
        sources=sources,
        provider_aliases=dict(sorted(aliases.items())),
        hosts=dict(sorted(overlay.hosts.items())),
        normalisations=overlay.normalisations,
        own_hosts=overlay.own_hosts,
        suffix=overlay.suffix,
        regions=overlay.regions,
        unmapped=overlay.unmapped,
        tiers=overlay.tiers,
        speeds=overlay.speeds,
        unserved_tiers=overlay.unserved_tiers,
        audio_as_text=overlay.audio_as_text,
        claims_win=overlay.claims_win,
        multipliers=overlay.multipliers,
        tool_fees=(*overlay.tool_fees, *_fees(models, overlay)),
        windows=overlay.windows,
        calendars=overlay.calendars,
    )


def _fees(models: list[BaseModel], overlay: Overlay) -> list[ToolFee]:
    """The models' own fees, where they differ from their provider's default and the
    overlay has no other."""
    corrected = {(fee.provider, fee.model, fee.tool) for fee in overlay.tool_fees}
    default = {
        (fee.provider, fee.tool): fee.femto_usd
        for fee in overlay.tool_fees
        if not fee.model
    }
    return [
        fee
        for model in models
        for fee in model.fees
        if default.get((fee.provider, fee.tool)) != fee.femto_usd
        and (fee.provider, fee.model, fee.tool) not in corrected
    ]
