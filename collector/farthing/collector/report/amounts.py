"""Money, counts and times as people read them, on the terminal and on the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

UNKNOWN: Final = "-"


def money(usd: Decimal | None, *, lower_bound: bool = False) -> str:
    """Dollars: cents from ten dollars up, four significant digits below, all of them
    exact to what is shown. A lower bound says so; what is not known is a dash."""
    if usd is None:
        return UNKNOWN
    return f"{'≥ ' if lower_bound else ''}{_dollars(usd)}"


def _dollars(usd: Decimal) -> str:
    sign, amount = ("-", -usd) if usd < 0 else ("", usd)
    if amount == 0:
        return "$0"
    if amount >= 10:
        return f"{sign}${amount:,.2f}"
    digits = max(3 - amount.adjusted(), 2)
    return f"{sign}${round(amount, digits):f}"


def count(number: int) -> str:
    """An integer with separators."""
    return f"{number:,}"


def counted(number: int, what: str) -> str:
    """So many of something whose plural has an s: "1 call", "2 calls"."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def tokens(number: int) -> str:
    """A number of tokens, short."""
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if abs(number) >= limit:
            return f"{number / (limit if unit != 'k' else 1000):.1f}{unit}"
    return count(number)


def size(number: int) -> str:
    """A number of bytes, short."""
    for limit, unit in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}"
    return f"{number} bytes"


def share(rate: float | None) -> str:
    """A share as a percentage: whole from ten percent up, two digits below."""
    if rate is None:
        return UNKNOWN
    is_small = 0 < abs(rate) < 0.0995
    return f"{rate * 100:.2g}%" if is_small else f"{rate:.0%}"


def duration(seconds: float) -> str:
    """A duration in its two largest units."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
    )
