"""What is over is taken back, also where what an alert was about is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from farthing.alerts.backtest import backtest
from farthing.alerts.budgets import Budget
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident
from farthing.alerts.policy import Policy
from farthing.alerts.rule import Rule, shipped
from farthing.collector.alerting import troubles
from farthing.collector.store.client import Store
from tests.alerts.ledger import NOW, Watch, add, call
from tests.alerts.test_life import World

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DAILY = Budget(name="daily", of="team", window="day", limit_usd=Decimal(1))
GONE = "no longer reported"
_CACHED = (
    *("run_id", "time", "kind", "task_type", "calls", "cost_usd", "cost_state"),
    *("model", "ingested_at", "input_tokens", "cache_read_tokens"),
)


def prompts(store: Store, *, ago: timedelta, hits: int) -> None:
    """Calls with prompts of 100 tokens, `hits` of them read from the cache."""
    time = f"{NOW - ago:%Y-%m-%d %H:%M:%S}"
    row = ["r", time, "model_call", "review", 1, "0.01", "priced", "gpt-5", time]
    store.insert("spans", _CACHED, [[*row, 100 - hits, hits]] * 60)


def watch_of_a_lost_cache(ledger: Store, file: AlertFile) -> Watch:
    """Over prompts of which most were cached the day before, and few are now."""
    prompts(ledger, ago=DAY, hits=90)
    prompts(ledger, ago=MINUTE, hits=10)
    return Watch(ledger, file)


def fires(incidents: Sequence[Incident]) -> bool:
    """Whether the only one is firing."""
    [incident] = incidents
    return incident.phase == "firing"


def why_over(watch: Watch, rule: str, *, after: timedelta) -> str:
    """Why the only incident has ended an hour after some time."""
    watch.look(rule, after=after)
    [incident] = watch.look(rule, after=HOUR)
    return incident.why_resolved


def test_a_model_that_nobody_calls_any_more(ledger: Store, file: AlertFile) -> None:
    """Its calls without a price leave the day, and the alert ends."""
    add(ledger, [call(f"r{n}", None, ago=HOUR) for n in range(30)])
    watch = Watch(ledger, file)
    assert fires(watch.look("unpriced"))
    assert why_over(watch, "unpriced", after=2 * DAY) == GONE


def test_a_task_type_that_runs_no_more(ledger: Store, file: AlertFile) -> None:
    """Its median shifted, and then it was switched off."""
    add(ledger, [call(f"a{n}", "1", ago=3 * DAY + n * MINUTE) for n in range(40)])
    add(ledger, [call(f"b{n}", "9", ago=HOUR + n * MINUTE) for n in range(40)])
    watch = Watch(ledger, file)
    assert fires(watch.look("task-median"))
    assert why_over(watch, "task-median", after=2 * DAY) == GONE


def test_a_low_cache_hit_rate_becomes_usual(ledger: Store, file: AlertFile) -> None:
    """After a week nobody is reminded of what the rate once was."""
    watch = watch_of_a_lost_cache(ledger, file)
    watch.look("cache-hits")
    assert fires(watch.look("cache-hits", after=HOUR / 6))
    for day in range(1, 9):
        prompts(ledger, ago=-day * DAY, hits=10)
    assert why_over(watch, "cache-hits", after=8 * DAY) == "cleared"


def test_a_night_without_calls_ends_no_cache_alert(
    ledger: Store, file: AlertFile
) -> None:
    """It fires once: in the morning the rate is still low. Of a model that nobody calls
    for days it is over."""
    watch = watch_of_a_lost_cache(ledger, file)
    [waits] = watch.look("cache-hits")
    assert waits.phase == "pending"
    assert fires(watch.look("cache-hits", after=HOUR / 6))
    prompts(ledger, ago=-12 * HOUR, hits=10)
    for _ in range(12):
        assert fires(watch.look("cache-hits", after=HOUR))
    [fired] = watch.look("cache-hits", after=DAY)
    assert why_over(watch, "cache-hits", after=3 * DAY) == GONE
    assert fired.opened_at == waits.opened_at


def test_what_has_not_fired_is_forgotten_in_an_hour(
    ledger: Store, file: AlertFile
) -> None:
    """However long the rule waits for one that fires: what was wrong in the evening is
    not enough in the morning."""
    watch = watch_of_a_lost_cache(ledger, file)
    [waits] = watch.look("cache-hits")
    assert waits.phase == "pending"
    assert watch.look("cache-hits", after=3 * HOUR) == [waits]
    assert watch.look("cache-hits", after=HOUR) == []


def test_a_large_call_is_over_with_its_run(ledger: Store, file: AlertFile) -> None:
    """Its alert ends when nothing was heard of the run for long enough, and says then
    how large the call was."""
    prompts(ledger, ago=MINUTE, hits=0)
    policy = Policy(rules={"step-tokens": {"parameters": {"limit_tokens": 100}}})
    watch = Watch(ledger, file, policy=policy)
    assert fires(watch.look("step-tokens"))
    assert fires(watch.look("step-tokens", after=8 * MINUTE))
    [ended] = watch.look("step-tokens", after=2 * MINUTE)
    assert (ended.why_resolved, int(ended.value)) == ("ended", 6000)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"who": "growth"}, GONE),
        ({"window": "month"}, GONE),
        ({"of": "user"}, GONE),
        ({"limit_usd": Decimal(100)}, "cleared"),
    ],
)
def test_a_budget_that_is_declared_otherwise(
    ledger: Store, file: AlertFile, change: dict[str, object], why: str
) -> None:
    """An alert about a budget that is there no more as it was ends."""
    add(ledger, [call("r", "2", ago=HOUR)])
    assert fires(Watch(ledger, file, budgets=(DAILY,)).look("budget"))
    watch = Watch(ledger, file, budgets=(DAILY.model_copy(update=change),))
    watch.look("budget")
    found = watch.look("budget", after=HOUR)
    [before] = [i for i in found if i.labels["window"] == "day"]
    assert before.why_resolved == why


def test_a_backtest_lets_go_too(ledger: Store) -> None:
    """Of a subject of which the query says nothing any more, it is not said that it
    fires to the end of the range."""
    add(ledger, [call("r", "2", ago=3 * DAY)])
    sql = """
        SELECT team AS subject, sum(cost_usd) AS value, 1 AS threshold FROM spend_hourly
        WHERE toDate(hour) = toDate({now:DateTime64(6, 'UTC')}) GROUP BY team
    """
    told = {"name": "mine", "sql": sql, "title": "a", "summary": "b", "unit": "usd"}
    rule = Rule.model_validate({**told, "description": "c", "severities": ["info"]})
    outcome = backtest(
        rule, ledger.rows, since=NOW - 5 * DAY, until=NOW, given=lambda _at: {}
    )
    [incident] = outcome.incidents
    assert incident.why_resolved == GONE
    assert outcome.median_s is not None
    assert outcome.median_s <= 26 * 3600


def test_a_budget_that_is_removed(ledger: Store, file: AlertFile) -> None:
    """Ends at once, and what is last said of it is not that nothing was spent."""
    add(ledger, [call("r", "2", ago=HOUR)])
    other = DAILY.model_copy(update={"name": "other", "limit_usd": Decimal(1000)})
    Watch(ledger, file, budgets=(DAILY,)).look("budget")
    [ended] = Watch(ledger, file, budgets=(other,)).look("budget")
    assert (ended.why_resolved, int(ended.value)) == ("budget removed", 2)
    assert "infra has spent $2.00 of $1.00" in ended.title


def test_a_rule_that_is_gone_fails_no_more(ledger: Store, file: AlertFile) -> None:
    """Until then one that cannot be evaluated is a trouble of the collector."""

    def failing() -> object:
        found = troubles(CollectorRegistry(), file, dead_letters=file.path, now=NOW)
        return next(each["value"] for each in found if each["subject"] == "rules")

    broken = shipped()["unpriced"].model_copy(update={"name": "mine", "sql": "SELECT"})
    watch = Watch(ledger, file)
    for _ in range(3):
        watch.judge.evaluate_rule(broken)
    assert failing() == 1
    watch.judge.grant_wishes()
    assert failing() == 0


def test_only_what_was_asked_counts_as_silence() -> None:
    """An hour in which the store was away or the collector was started anew ends
    nothing: it begins again after that."""
    world = World()
    world.values = {"a": 12}
    for seconds in (0, 30):
        world.now += timedelta(seconds=seconds)
        world.evaluate()
    world.values = {}

    def still_fires(after: timedelta) -> bool:
        world.now += after
        world.evaluate()
        return bool(world.file.open_incidents())

    assert still_fires(MINUTE)
    world.is_away = True
    assert still_fires(HOUR)
    world.is_away = False
    assert still_fires(MINUTE)
    world.file.close()
    world.start()
    assert still_fires(HOUR)
    assert still_fires(HOUR - MINUTE)
    assert not still_fires(MINUTE)
    world.end()


def test_what_was_never_wrong_for_long_enough_is_forgotten() -> None:
    """An hour later it is not what it once was, and waits anew."""
    world = World()
    world.values = {"a": 12}
    world.evaluate()
    world.values = {}
    for _ in range(2):
        world.now += HOUR
        world.evaluate()
    assert world.file.incidents(limit=10) == []
    world.values = {"a": 12}
    world.evaluate()
    [again] = world.file.incidents(limit=10)
    assert again.phase == "pending"
    world.end()
