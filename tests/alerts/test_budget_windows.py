"""Windows of budgets: each moment is in one, in every zone, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from farthing.alerts.budgets import Budget

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def windows(zone: str, window: str) -> list[tuple[datetime, datetime]]:
    """Those of each half hour of a year, in order."""
    told = {"name": "b", "of": "team", "window": window, "limit_usd": Decimal(1)}
    budget = Budget.model_validate({**told, "zone": zone})
    moments = (NEW_YEAR + timedelta(minutes=30 * n) for n in range(2 * 24 * 366))
    found: list[tuple[datetime, datetime]] = []
    for at in moments:
        begin, end = budget.period(at)
        assert begin <= at < end
        if not found or found[-1] != (begin, end):
            found.append((begin, end))
    return found


@pytest.mark.parametrize("window", ["day", "month"])
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Atlantic/Azores", "Asia/Beirut", "Asia/Kolkata"]
)
def test_one_follows_the_other(zone: str, window: str) -> None:
    """Also where clocks go back to midnight or forward over it: without a gap, and no
    moment in two."""
    found = windows(zone, window)
    assert len(found) in (366, 367, 13, 14)
    for before, after in pairwise(found):
        assert before[1] == after[0]


def test_days_are_as_long_as_the_zone_says() -> None:
    """23 hours in spring, 25 in autumn."""
    lengths = {end - begin for begin, end in windows("Europe/Berlin", "day")}
    assert lengths == {timedelta(hours=hours) for hours in (23, 24, 25)}
