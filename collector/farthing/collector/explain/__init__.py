"""How each cent of a span came about: what was said, the price row, every product.

`account` answers from what the ledger keeps of every entry and of every price list.
"""

from __future__ import annotations

from farthing.collector.explain.account import Account, Entry, Factor, Part, PriceRow
from farthing.collector.explain.plain_json import day, to_json
from farthing.collector.explain.read import NoSuchSpan, account, call_of

__all__ = [
    "Account",
    "Entry",
    "Factor",
    "NoSuchSpan",
    "Part",
    "PriceRow",
    "account",
    "call_of",
    "day",
    "to_json",
]
