"""Which ids mean which model, and which of them may carry a date."""

from __future__ import annotations

from collections.abc import Iterable

from farthing.economics.prices.overlay import Overlay
from farthing.economics.prices.rates import Ctx, ModelId, RateKey
from farthing.economics.prices.resolver import normalise, stem
from farthing.economics.prices.rules import Rules
from farthing.economics.prices.variants import History

Ids = dict[tuple[str, str], str]


def collect(
    named: Iterable[tuple[str, str, str]], overlay: Overlay, rules: Rules
) -> Ids:
    """Models by (provider, id in normal form), from (provider, id, model) triples.

    The overlay's ids come first, then the first triple that names an id.
    """
    ids: Ids = {}
    for own in overlay.models:
        for name in own.ids:
            ids[own.provider, normalise(rules, own.provider, name)] = own.model
    for provider, name, model in named:
        ids.setdefault((provider, normalise(rules, provider, name)), model)
    return ids


def dated(ids: Ids, history: History, rules: Rules, overlay: Overlay) -> list[ModelId]:
    """The ids with `dated_ok`: whether a date behind the id keeps the price.

    It does not where a listed snapshot of the id has another price (the id is an
    alias that moves), where the id ends in a date or `latest` itself, and where the
    overlay pins the ids.
    """
    pinned = {name for own in overlay.models if own.pinned for name in own.ids}
    moving = set()
    for (provider, name), model in ids.items():
        short = stem(rules, name.removesuffix("-preview"))
        family = ids.get((provider, short or ""))
        if family in (None, model):
            continue
        if _prices(history, provider, family) != _prices(history, provider, model):
            moving.add((provider, short))
    return [
        ModelId(
            provider,
            name,
            model,
            "exact" if name == model else "alias",
            dated_ok=stem(rules, name) is None
            and (provider, name) not in moving
            and name not in pinned,
        )
        for (provider, name), model in sorted(ids.items())
    ]


def _prices(history: History, provider: str, model: str | None) -> list[object]:
    rows = history.get(RateKey(provider, model or "", int(Ctx.STANDARD), 0), [])
    return [(r.valid_from, r.valid_to, r.thresholds, r.levels) for r in rows]
