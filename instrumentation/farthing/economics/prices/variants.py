"""Variants (batch, tiers) before the base catalogue's own first day of them."""

from __future__ import annotations

import re
from dataclasses import replace

from farthing.economics.prices.levels import scaled_rate
from farthing.economics.prices.overlay import Discount, Overlay
from farthing.economics.prices.rates import (
    RATE_NAMES,
    Ctx,
    Level,
    Note,
    RateKey,
    RateRow,
)

History = dict[RateKey, list[RateRow]]
_FRESH = {"cache_read": "input", "cache_audio": "input_audio"}
"""What a cached read costs where no price of its own is published."""


def back_date(history: History, overlay: Overlay) -> None:
    """Add to a history the earlier rows of every variant that the overlay dates."""
    for key, standard in sorted(history.items()):
        if key.ctx != Ctx.STANDARD or key.slot:
            continue
        for (provider, ctx), launch in overlay.launches.items():
            if provider != key.provider:
                continue
            variant_key = key._replace(ctx=ctx)
            discount = overlay.discounts.get((provider, ctx))
            earlier = _earlier(
                standard, history.get(variant_key, []), ctx, launch, discount
            )
            if earlier:
                history[variant_key] = sorted(
                    [*earlier, *history.get(variant_key, [])],
                    key=lambda row: row.valid_from,
                )


def _earlier(
    standard: list[RateRow],
    variants: list[RateRow],
    ctx: int,
    launch: int,
    discount: Discount | None,
) -> list[RateRow]:
    """The rows of a variant from its launch to the base's first row of it.

    Where the standard price was that of the variant's first day, so was the variant.
    Else the provider's documented discount applied, if it has one; else nothing is
    known.
    """
    first = variants[0] if variants else None
    if first is None and not _discounts_all(discount, standard):
        return []
    until = first.valid_from if first else standard[-1].valid_to
    same = _at(standard, first.valid_from) if first else None
    made = []
    for row in standard:
        begins, ends = max(row.valid_from, launch), min(row.valid_to, until)
        if begins >= ends:
            continue
        if first is not None and same is not None and _alike(row, same):
            made.append(
                replace(
                    first.between(begins, ends),
                    notes=(*first.notes, Note.BACK_DATED),
                )
            )
        elif discount is not None:
            made.append(_discounted(row.between(begins, ends), ctx, discount))
    return made


def _discounts_all(discount: Discount | None, standard: list[RateRow]) -> bool:
    if discount is None or not discount.every_model:
        return False
    return re.search(discount.every_model, standard[0].model) is not None


def _discounted(row: RateRow, ctx: int, discount: Discount) -> RateRow:
    return replace(
        row,
        ctx=ctx,
        levels=tuple(_cut(rates, discount) for rates in row.levels),
        notes=tuple(dict.fromkeys((*row.notes, Note.DERIVED))),
    )


def _cut(rates: Level, discount: Discount) -> Level:
    """The rates with the discount off each but those that keep the standard rate.

    A cached read keeps it only where it has a rate of its own: what costs as much as
    fresh input is fresh input.
    """
    factor = discount.factor
    made = list(rates)
    for index, (name, rate) in enumerate(zip(RATE_NAMES, rates, strict=True)):
        fresh = _FRESH.get(name)
        is_own = fresh is None or rate != rates[RATE_NAMES.index(fresh)]
        if rate is None or (name in discount.undiscounted and is_own):
            continue
        made[index] = scaled_rate(rate, factor.numerator, factor.denominator)
    return tuple(made)


def _at(rows: list[RateRow], at_s: int) -> RateRow | None:
    for row in rows:
        if row.valid_from <= at_s < row.valid_to:
            return row
    return None


def _alike(left: RateRow, right: RateRow) -> bool:
    return (left.thresholds, left.levels) == (right.thresholds, right.levels)
