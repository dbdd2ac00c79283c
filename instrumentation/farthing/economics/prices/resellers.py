"""Providers that sell others' models at the makers' list prices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from farthing.economics.prices.ids import Ids
from farthing.economics.prices.levels import lay_over
from farthing.economics.prices.rates import Ctx, Origin, RateKey
from farthing.economics.prices.resolver import normalise, stem
from farthing.economics.prices.rules import Rules
from farthing.economics.prices.variants import History


@dataclass(frozen=True)
class Reseller:
    """A provider that sells others' models at their list price.

    `claims` names, for ids of others, the reseller's own model that covers them.
    """

    provider: str
    of: tuple[str, ...]
    claims: dict[str, str]


def resell(
    reseller: Reseller,
    sellable: Collection[tuple[str, str]],
    history: History,
    ids: Ids,
    rules: Rules,
) -> None:
    """Give a reseller the standard prices of the makers' models that it lacks.

    Only the standard context: what a reseller charges for batch or a tier is its own
    affair.
    """
    seller = reseller.provider
    listed = {
        name: model for (sold_by, name), model in ids.items() if sold_by == seller
    }
    copied = set()
    for (maker, name), model in sorted(ids.items()):
        wanted = (seller, normalise(rules, seller, name))
        if maker not in reseller.of or wanted in ids or (maker, model) not in sellable:
            continue
        own = reseller.claims.get(name) or _own_of_snapshot(
            ids, listed, rules, maker=maker, name=name
        )
        if own is not None:
            ids[wanted] = own
        elif model not in listed.values():
            ids[wanted] = model
            copied.add((maker, model))
    for maker, model in sorted(copied):
        _copy(seller, maker, model, history)


def _own_of_snapshot(
    ids: Ids, listed: dict[str, str], rules: Rules, *, maker: str, name: str
) -> str | None:
    """The reseller's own model for a snapshot whose family it lists.

    Only where the maker itself counts the snapshot to the family.
    """
    family = stem(rules, name)
    if family is None or ids.get((maker, family)) != ids[maker, name]:
        return None
    return listed.get(family)


def _copy(seller: str, maker: str, model: str, history: History) -> None:
    """The maker's standard rows under what the reseller's history already says."""
    key = RateKey(maker, model, int(Ctx.STANDARD), 0)
    sold = [
        replace(
            row,
            provider=seller,
            origin=Origin.BASE,
            source=row.source or f"{maker}'s list price",
        )
        for row in history.get(key, [])
    ]
    target = key._replace(provider=seller)
    for row in history.get(target, []):
        sold = lay_over(sold, row)
    if sold:
        history[target] = sold
