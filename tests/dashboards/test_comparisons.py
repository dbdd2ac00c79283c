"""What numbers are compared with: usual hours, the range before, the kind of task."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt
import pytest

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.store.client import Store
from farthing.dashboards.catalogue import panel
from farthing.dashboards.charts import Frame, spec, svg
from farthing.dashboards.macros import View
from farthing.dashboards.theme import PAGE
from tests.dashboards.test_panels import WEEK, answer
from tests.demo_week import NOW

HOUR: Final = timedelta(hours=1)
LAST_DAY: Final = View(NOW - timedelta(days=1), NOW)
FINANCE: Final = View(LAST_DAY.since, NOW, {"business_unit": ("finance",)})


def spent(store: Store, view: View) -> dict[datetime, Decimal]:
    """What each hour of the ledger cost, of what the view chooses."""
    unit = "".join(f" WHERE business_unit = '{u}'" for (u,) in view.chosen.values())
    rows = store.rows(
        f"SELECT hour, sum(cost_usd) AS usd FROM spend_hourly{unit} GROUP BY hour"
    )
    return {row["hour"]: row["usd"] for row in rows}


def like_hours(
    costs: dict[datetime, Decimal], hour: datetime
) -> Iterator[tuple[int, Decimal]]:
    """What hours like this one cost before it, with how many days ago they were."""
    for day in range(1, 29):
        for beside in (-1, 0, 1):
            like = hour - timedelta(days=day, hours=beside)
            is_alike = (like.weekday() >= 5) == (hour.weekday() >= 5)
            if is_alike and like >= min(costs):
                yield day, costs.get(like, Decimal(0))


@pytest.mark.parametrize("view", [LAST_DAY, FINANCE], ids=["all", "finance"])
def test_usual_is_the_median_of_like_hours(demo_store: Store, view: View) -> None:
    """Each hour's usual spend is the median of the same hour and those beside it, of
    working days or of weekends, of the 28 days before, hours without spend counted."""
    costs = spent(demo_store, view)
    bars: dict[datetime, Decimal] = defaultdict(Decimal)
    hour = view.since.replace(minute=0, tzinfo=None)
    while hour <= NOW.replace(tzinfo=None):
        found = list(like_hours(costs, hour))
        assert len({day for day, _ in found}) >= 2
        bars[hour] += statistics.median_high(sorted(cost for _, cost in found))
        hour += HOUR
    told = {
        row["time"]: row["cost_usd"] for row in answer(demo_store, "spend_usual", view)
    }
    assert told == bars


def test_nothing_is_usual_before_it_was_seen(demo_store: Store) -> None:
    """In the ledger's first hours, and on its first weekend, nothing is known to be
    usual; on its second working day something is."""
    times = [row["time"] for row in answer(demo_store, "spend_usual")]
    assert min(times) > WEEK.since.replace(tzinfo=None) + timedelta(days=1)
    assert not any(time.weekday() == 5 for time in times)
    assert {time.weekday() for time in times} >= {0, 1, 2}


def test_bars_have_dashes_at_what_is_usual(demo_store: Store) -> None:
    """A chart of spend has one dash across each bar whose usual height is known, in the
    colour of text, valid by Vega-Lite's schema."""
    usual = answer(demo_store, "spend_usual")
    frame = Frame(640, 240, WEEK.bucket_s(hourly=True), usual=usual)
    made = spec(panel("spend_by_model"), answer(demo_store, "spend_by_model"), frame)
    alt.Chart.from_dict({**made, "background": "white"})
    assert svg(made).count('aria-roledescription="rule mark"') == len(usual) > 10
    assert made["layer"][-1]["mark"]["color"] == PAGE.text


def test_spend_is_compared_with_as_many_hours_before(demo_store: Store) -> None:
    """The range before has as many whole hours; where the ledger does not reach back to
    its beginning there is no comparison."""
    [day] = answer(demo_store, "spend", LAST_DAY)
    since = LAST_DAY.since.replace(minute=0, tzinfo=None)
    of_day_before = [
        usd
        for hour, usd in spent(demo_store, View(NOW, NOW)).items()
        if since - timedelta(days=1) <= hour < since
    ]
    assert day["before_usd"] == sum(of_day_before) > 0
    [week] = answer(demo_store, "spend", View(NOW - timedelta(days=6), NOW))
    assert (week["before_usd"], week["change"]) == (None, None)


def changes(store: Store, view: View) -> list[dict[str, Any]]:
    return answer(store, "movers", view)


def _periods(rows: list[dict[str, Any]]) -> str:
    """What each of the rows says is compared."""
    [periods] = {row["periods"] for row in rows}
    return str(periods)


def test_a_young_ledger_is_compared_by_halves(demo_store: Store) -> None:
    """Where the ledger does not reach back to the range before, what changed is told of
    its later half against its earlier one; where it does, of the two ranges."""
    month = changes(demo_store, View(NOW - timedelta(days=30), NOW))
    assert all(row["before_usd"] > 0 for row in month[:5])
    total = sum(cost for cost in spent(demo_store, View(NOW, NOW)).values())
    halves = sum(row["before_usd"] + row["cost_usd"] for row in month)
    assert Decimal("0.9") * total < halves <= total
    day = changes(demo_store, LAST_DAY)
    since = LAST_DAY.since.replace(minute=0, tzinfo=None)
    of_day = [u for hour, u in spent(demo_store, LAST_DAY).items() if hour >= since]
    assert sum(row["cost_usd"] for row in day) <= sum(of_day)
    assert _periods(day) == (
        "2026-03-17 14:00 to 2026-03-18 14:30 against"
        " 2026-03-16 14:00 to 2026-03-17 14:00 UTC"
    )
    assert _periods(month) == (
        "2026-03-15 03:00 to 2026-03-18 14:30 against"
        " 2026-03-11 15:00 to 2026-03-15 03:00 UTC"
    )


def test_a_run_is_compared_with_its_kind(demo_store: Store) -> None:
    """The run that loops has more model calls than is usual, most of its cost was spent
    without progress, and its prompt grew from what it was at first."""
    [run] = answer(
        demo_store, "run_summary", View(WEEK.since, NOW, {"run": (LOOP_RUN_ID,)})
    )
    assert run["times_turns"] > 3
    assert 0 < run["usual_hit"] < run["cache_hit"]
    assert 0 < run["first_tokens"] < run["peak_tokens"]
    share = run["wasted_usd"] / run["cost_usd"]
    assert run["wasted_share"] == pytest.approx(float(share))
