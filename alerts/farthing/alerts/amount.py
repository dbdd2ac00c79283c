"""Amounts as people read them: $12.40, 3.2x, 80 %, 1h 05m."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from farthing.alerts.alert import Unit

_SMALL_USD: Final = Decimal("0.10")
_LARGE_USD: Final = Decimal(100)


def amount(value: Decimal | None, unit: Unit, *, lower_bound: bool = False) -> str:
    """`value` with its unit; `unknown` for None, `≥` before a lower bound."""
    if value is None:
        return "unknown"
    return f"{'≥ ' if lower_bound else ''}{_WRITTEN[unit](value)}"


def usd(value: Decimal) -> str:
    """Dollars: four digits after the point below ten cents, none from $100."""
    size = abs(value)
    places = 4 if size < _SMALL_USD else 2 if size < _LARGE_USD else 0
    sign = "-" if value < 0 else ""
    return f"{sign}${_rounded(size, places):,}"


def span_of_time(seconds: Decimal | float) -> str:
    """A duration in its two largest parts, as in `2d 4h` and `45s`."""
    minutes, second = divmod(round(max(0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}h"
    if hours:
        return f"{hours}h {minute:02}m"
    return f"{minutes}m {second:02}s" if minutes else f"{second}s"


def lasted(duration: timedelta) -> str:
    """The same of a timedelta."""
    return span_of_time(duration.total_seconds())


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def _plain(value: Decimal) -> str:
    """Up to two digits after the point, none that are zero at the end."""
    text = f"{_rounded(value, 2):,f}"
    return text.rstrip("0").rstrip(".")


_WRITTEN: Final[Mapping[Unit, Callable[[Decimal], str]]] = {
    "usd": usd,
    "usd_per_hour": lambda value: f"{usd(value)}/h",
    "ratio": lambda value: f"{_plain(value)}x",
    "share": lambda value: f"{_plain(value * 100)} %",
    "tokens": lambda value: f"{_plain(value)} tokens",
    "calls": lambda value: f"{_plain(value)} calls",
    "seconds": span_of_time,
    "count": _plain,
}
