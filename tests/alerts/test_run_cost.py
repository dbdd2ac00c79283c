"""The 3x rule: against which runs, from when on, how often, and taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from benchmarks.alerts.fleet import dear_runs, fill_fleet
from benchmarks.alerts.score import score
from farthing.alerts.backtest import backtest
from farthing.alerts.file import AlertFile
from farthing.alerts.policy import Policy
from farthing.alerts.rule import shipped
from farthing.collector.store.client import Store
from tests.alerts.ledger import NOW, Watch, add, call

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def usual(count: int = 20, *, usd: str = "1") -> list[list[object]]:
    """Finished runs that cost what they usually do."""
    return [call(f"old-{n}", usd, ago=2 * HOUR + n * MINUTE) for n in range(count)]


def test_fires_while_the_run_goes_on(ledger: Store, file: AlertFile) -> None:
    """It fires when a run passes three times the median, and ends with the run."""
    add(ledger, [*usual(), call("new", "2.9", ago=3 * MINUTE)])
    watch = Watch(ledger, file)
    assert watch.look("run-cost") == []
    add(ledger, [call("new", "0.1", ago=MINUTE)])
    [fired] = watch.look("run-cost")
    assert (fired.phase, fired.subject, fired.value) == ("firing", "new", Decimal(3))
    assert fired.threshold == 3
    assert "cost $3.00, 3.0x its usual cost" in fired.title
    assert fired.since == NOW - 3 * MINUTE - timedelta(seconds=1)
    [ended] = watch.look("run-cost", after=11 * MINUTE)
    assert (ended.phase, ended.why_resolved) == ("resolved", "ended")


def test_the_run_itself_is_left_out(ledger: Store, file: AlertFile) -> None:
    """A run that is open when it counts as finished is not its own baseline."""
    prices = [*["1"] * 10, *["2"] * 10]
    add(ledger, [call(f"r{n}", p, ago=2 * HOUR) for n, p in enumerate(prices)])
    add(ledger, [call("new", "9", ago=MINUTE)])
    watch = Watch(ledger, file)
    [fired] = watch.look("run-cost")
    assert fired.threshold == Decimal("4.5")  # three times the median of 20 runs
    [ended] = watch.look("run-cost", after=20 * MINUTE)
    assert ended.threshold == Decimal("4.5")  # of 21, itself left out


def test_too_few_runs_are_no_baseline(ledger: Store, file: AlertFile) -> None:
    """Below 20 runs nothing is said, unless a limit for new kinds is configured."""
    add(ledger, [*usual(19), call("new", "50", ago=MINUTE)])
    assert Watch(ledger, file).look("run-cost") == []
    policy = Policy(rules={"run-cost": {"parameters": {"cold_start_usd": 40}}})
    [fired] = Watch(ledger, file, policy=policy).look("run-cost")
    assert fired.threshold == 40


def test_cheap_runs_are_left_alone(ledger: Store, file: AlertFile) -> None:
    """Ten times next to nothing is next to nothing: the floor is half a dollar."""
    add(ledger, [*usual(usd="0.01"), call("new", "0.49", ago=MINUTE)])
    watch = Watch(ledger, file)
    assert watch.look("run-cost") == []
    add(ledger, [call("new", "0.01", ago=MINUTE)])
    assert [i.phase for i in watch.look("run-cost")] == ["firing"]


def test_escalates_at_each_doubling(ledger: Store, file: AlertFile) -> None:
    """What grows is told again when it has doubled, not before, as the same alert."""
    add(ledger, [*usual(), call("new", "3", ago=3 * MINUTE)])
    policy = Policy(channels={"slack": {}})
    watch = Watch(ledger, file, policy=policy)
    seen = []
    for more in ("2", "1", "5", "1", "12"):
        watch.look("run-cost", after=timedelta(seconds=20))
        add(ledger, [call("new", more, ago=MINUTE, now=watch.now)])
        [incident] = watch.look("run-cost")
        seen.append((int(incident.value), incident.severity, incident.sequence))
    assert seen == [
        (5, "warning", 1),
        (6, "error", 2),
        (11, "error", 2),
        (12, "critical", 3),
        (24, "critical", 4),
    ]


def test_unknown_costs_make_a_lower_bound(ledger: Store, file: AlertFile) -> None:
    """A run with calls of unknown cost is compared by what is known of it; such runs
    are no baseline."""
    add(ledger, [*usual(), *(call(f"u{n}", None, ago=HOUR) for n in range(50))])
    add(ledger, [call("new", "4", ago=MINUTE), call("new", None, ago=MINUTE)])
    [fired] = Watch(ledger, file).look("run-cost")
    assert (int(fired.threshold), fired.lower_bound) == (3, True)
    assert "at least $4.00" in fired.title


def test_a_correction_takes_it_back(ledger: Store, file: AlertFile) -> None:
    """Where it turns out that a call was counted twice, the alert is resolved."""
    add(ledger, [*usual(), call("new", "4", ago=2 * MINUTE)])
    watch = Watch(ledger, file)
    assert [i.phase for i in watch.look("run-cost")] == ["firing"]
    add(ledger, [call("new", "-2", ago=2 * MINUTE)])
    [resolved] = watch.look("run-cost")
    assert (resolved.phase, resolved.why_resolved) == ("resolved", "cleared")
    assert resolved.peak == 4


def test_what_is_long_over_raises_no_alarm(ledger: Store, file: AlertFile) -> None:
    """A recording that is loaded afterwards wakes nobody."""
    add(ledger, [*usual(), call("new", "50", ago=11 * MINUTE)])
    assert Watch(ledger, file).look("run-cost") == []


def test_finds_what_was_put_in(ledger: Store) -> None:
    """On a generated fleet, precision and recall are at least .95 once there is a
    baseline, and each run is told of once."""
    days, runs = 30, 12_000
    fill_fleet(ledger, runs=runs, days=days, until=NOW)
    since = NOW - timedelta(days=days - 3)
    outcome = backtest(
        shipped()["run-cost"],
        ledger.rows,
        since=since,
        until=NOW,
        given=lambda _at: {},
    )
    first = runs * 3 // days
    truth = {r for r in dear_runs(ledger, runs=runs) if int(r[4:]) >= first + 20}
    told = score(outcome, truth)
    assert told["put_in"] > 90
    assert told["precision"] >= 0.95
    assert told["recall"] >= 0.95
    assert outcome.fired == told["found"]
