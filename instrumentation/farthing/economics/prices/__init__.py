"""The price book: what a provider call cost, on what grounds, or why that is unknown.

    catalogue = load_catalogue()
    cost = price(Call(provider="openai", response_model="gpt-5", at=now, buckets=...),
                 catalogue)
    cost.state, cost.usd, cost.reason

`docs/prices.md` tells the rules. Nothing here does I/O but `load_catalogue` and the
readers of files, and nothing needs more than the standard library.
"""

from __future__ import annotations

from farthing.economics.prices.call import Call, Cost, Flag, Part, Reason, State
from farthing.economics.prices.catalogue import Catalogue, load_catalogue
from farthing.economics.prices.cost import price
from farthing.economics.prices.rates import (
    ABSENT,
    OPEN_END,
    RATE_NAMES,
    Ctx,
    Kind,
    ModelId,
    Origin,
    RateKey,
    RateRow,
)
from farthing.economics.usage import MAX_TOKENS

__all__ = [
    "ABSENT",
    "MAX_TOKENS",
    "OPEN_END",
    "RATE_NAMES",
    "Call",
    "Catalogue",
    "Cost",
    "Ctx",
    "Flag",
    "Kind",
    "ModelId",
    "Origin",
    "Part",
    "RateKey",
    "RateRow",
    "Reason",
    "State",
    "load_catalogue",
    "price",
]
