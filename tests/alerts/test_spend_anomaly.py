"""Spend that is unusual for the hour: found in fleets of any size, and not where chance
explains it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from farthing.alerts.backtest import Outcome, backtest
from farthing.alerts.file import AlertFile
from farthing.alerts.rule import shipped
from farthing.collector.store.client import Store
from tests.alerts.ledger import NOW, Watch, add

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = NOW.replace(minute=0)
SINCE = UNTIL - 28 * DAY


@dataclass(frozen=True)
class Fleet:
    """Runs that begin by chance, `busy` of them in an hour of a working day and `quiet`
    in any other; each costs `usd`, log-normally with `sigma`. `job_usd` is what a job
    costs that runs every hour."""

    busy: float
    quiet: float
    usd: float
    sigma: float
    job_usd: float = 0.0
    grows: float = 1.0

    def spent(self, chance: random.Random) -> Iterator[tuple[datetime, float]]:
        """What each hour of eight weeks cost; hours without any cost are left out."""
        first = UNTIL - 56 * DAY
        for n in range(56 * 24):
            hour = first + n * HOUR
            works = hour.weekday() < 5 and 8 <= hour.hour < 18
            rate = (self.busy if works else self.quiet) * self.grows ** (n / 56 / 24)
            runs = _happened(rate, chance)
            costs = (self.usd * math.exp(chance.gauss(0, self.sigma)) for _ in runs)
            if usd := self.job_usd * chance.uniform(0.9, 1.1) + sum(costs):
                yield hour, usd


def _happened(rate: float, chance: random.Random) -> range:
    """How often something happened in an hour, `rate` times on average."""
    count, passed = 0, chance.expovariate(1.0)
    while passed < rate:
        count, passed = count + 1, passed + chance.expovariate(1.0)
    return range(count)


FLEETS = {
    "one person": Fleet(busy=1, quiet=0.05, usd=1.5, sigma=1.0),
    "small team": Fleet(busy=5, quiet=0.3, usd=1.0, sigma=0.9),
    "a job and a few runs": Fleet(busy=0.5, quiet=0.02, usd=4, sigma=0.8, job_usd=1),
    "platform": Fleet(busy=120, quiet=25, usd=0.5, sigma=0.8, grows=1.5),
}
DEAR = {
    "one person": (UNTIL - 6 * DAY, 150.0),
    "small team": (UNTIL - 9 * DAY, 200.0),
    "a job and a few runs": (UNTIL - 2 * DAY, 150.0),
    "platform": (UNTIL - 13 * DAY - 12 * HOUR, 250.0),
}
"""What is put in besides: a working hour of each fleet and what more is spent in it;
the platform's is one of a night, which no noon would be told of."""


def call(unit: str, hour: datetime, usd: float) -> list[object]:
    time = f"{hour + timedelta(minutes=20):%Y-%m-%d %H:%M:%S}"
    who = ["review", unit, "infra"]
    money = [1, f"{usd:.6f}", "priced", 1_000_000, "gpt-5"]
    return [f"{unit} {time}", time, "model_call", *who, *money, time]


@pytest.fixture
def outcome(ledger: Store) -> Outcome:
    """What the rule says of four weeks of all fleets."""
    for unit, fleet in FLEETS.items():
        chance = random.Random(unit)
        add(ledger, [call(unit, *spent) for spent in fleet.spent(chance)])
        add(ledger, [call(unit, *DEAR[unit])])
    return backtest(
        shipped()["spend-anomaly"],
        ledger.rows,
        since=SINCE,
        until=UNTIL + HOUR,
        given=lambda _at: {},
    )


def test_finds_what_was_put_in_and_little_else(outcome: Outcome) -> None:
    """Each dear hour is found, by its own unit; of the 2,688 hours of four fleets, from
    small to large, at most two more are told of."""
    found = {(i.subject, i.since) for i in outcome.incidents}
    dear = {(unit, hour) for unit, (hour, _) in DEAR.items()}
    assert dear <= found
    assert len(found) <= len(dear) + 2


def usual(*, days: int, usd: float = 20) -> list[list[object]]:
    """The same spend in each working hour of so many days before."""
    hours = (UNTIL - n * HOUR for n in range(1, days * 24))
    return [call("platform", hour, usd) for hour in hours if 8 <= hour.hour < 18]


def look(ledger: Store, file: AlertFile, usd: float) -> Mapping[str, object] | None:
    """What is said of an hour in which so much was spent."""
    add(ledger, [call("platform", UNTIL, usd)])
    found = Watch(ledger, file).look("spend-anomaly")
    return {"phase": found[0].phase, "usd": found[0].threshold} if found else None


def test_twice_the_dear_hours_is_unusual(ledger: Store, file: AlertFile) -> None:
    """Hours that are all alike do not make the smallest change an alert."""
    add(ledger, usual(days=28))
    assert look(ledger, file, 39) is None
    assert look(ledger, file, 2) == {"phase": "firing", "usd": 40}


def test_a_few_hours_are_no_baseline(ledger: Store, file: AlertFile) -> None:
    """Below twenty hours with spend nothing is said."""
    add(ledger, usual(days=2)[:19])
    assert look(ledger, file, 1_000) is None


def test_a_night_without_a_past_is_compared_with_the_days(
    ledger: Store, file: AlertFile
) -> None:
    """An hour in which nobody worked before is one like any other."""
    add(ledger, usual(days=28))
    night = NOW.replace(hour=3)
    add(ledger, [call("platform", night, 39)])
    watch = Watch(ledger, file, now=night)
    assert watch.look("spend-anomaly") == []
    add(ledger, [call("platform", night, 2)])
    assert [i.phase for i in watch.look("spend-anomaly")] == ["firing"]


def test_small_money_is_left_alone(ledger: Store, file: AlertFile) -> None:
    """However unusual, below twenty dollars an hour nobody is told."""
    add(ledger, usual(days=28, usd=0.01))
    assert look(ledger, file, 17.9) is None
