"""Time of day: which of a model's slots an instant falls into."""

from __future__ import annotations

from datetime import UTC, datetime

from farthing.economics.prices.rates import SlotWindow
from farthing.economics.prices.rules import Rules

DAY_S = 86_400


def slot_of(rules: Rules, provider: str, model: str, at_s: int) -> int:
    """The slot of an instant (epoch seconds): 0 unless a window of the model holds."""
    for window in rules.windows_of.get((provider, model), ()):
        if window.valid_from <= at_s < window.valid_to and _holds(rules, window, at_s):
            return window.slot
    return 0


def _holds(rules: Rules, window: SlotWindow, at_s: int) -> bool:
    of_day = at_s % DAY_S
    if window.start_s <= window.end_s:
        inside = window.start_s <= of_day < window.end_s
    else:
        inside = of_day >= window.start_s or of_day < window.end_s
    if not inside:
        return False
    local = datetime.fromtimestamp(at_s + window.utc_offset_s, UTC)
    if local.isoweekday() not in window.weekdays:
        return False
    days_off = rules.holidays.get(window.calendar)
    return days_off is None or local.date().isoformat() not in days_off
