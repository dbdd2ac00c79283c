"""`python -m benchmarks.alerts`: 100,000 runs over 30 days, 1 % of them dear."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Set
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from benchmarks.alerts.fleet import dear_runs, fill_fleet
from benchmarks.alerts.score import score_runs
from farthing.alerts.backtest import backtests, can_backtest
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.policy import Policy
from farthing.alerts.rule import shipped
from farthing.collector.alerting import given
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue


def _live(store: Store, now: datetime, folder: Path) -> None:
    """What one round of the rules takes, the second time: what is usual is known."""
    file = AlertFile(folder / "alerts.sqlite3")
    sources = Sources(ask=store.rows, given=lambda: given((), now))
    judge = Evaluator(Policy(), file, sources, clock=lambda: now)
    for _ in range(2):
        cpu_s = time.process_time()
        for rule in judge.rules.values():
            judge.evaluate_rule(rule)
        used_s = time.process_time() - cpu_s
    took = {name: told.took_ms for name, told in file.evaluations().items()}
    print(f"a round of all rules: {used_s * 1000:.0f} ms of CPU; in ms: {took}")
    file.close()


def _from(runs: Set[str], first: int) -> set[str]:
    """Those of the runs that began later than run number `first`."""
    return {run for run in runs if int(run.removeprefix("run-")) >= first}


@click.command()
@click.option("--runs", default=100_000, show_default=True)
@click.option("--days", default=30, show_default=True)
def main(runs: int, days: int) -> None:
    """Fill a ledger, backtest every rule over it, and score the 3x rule."""
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Address(path=Path(folder) / "ledger"))
        Ledger(store, load_catalogue()).open(retention_days=36_500)
        fill_fleet(store, runs=runs, days=days, until=until)
        [size] = store.rows("SELECT count() AS spans FROM spans")
        print(f"{runs:,} runs, {size['spans']:,} spans, {days} days")
        since, began_s = until - timedelta(days=days), time.monotonic()
        cpu_s = time.process_time()
        rules = [rule for rule in shipped().values() if can_backtest(rule)]
        outcomes = {
            outcome.rule: outcome
            for outcome in backtests(
                *(rules, store.rows),
                since=since,
                until=until,
                given=lambda at: given((), at),
            )
        }
        took_s, used_s = time.monotonic() - began_s, time.process_time() - cpu_s
        for name, outcome in outcomes.items():
            print(f"{name:16} fired {outcome.fired:,}, flapped {outcome.flaps:,}")
        print(f"{len(rules)} rules in {took_s:.1f} s ({used_s:.1f} s of CPU)")
        first = runs * 2 // days
        found = {i.subject for i in outcomes["run-cost"].incidents}
        dear = dear_runs(store, runs=runs)
        print(json.dumps({"all": score_runs(found, dear)}))
        told = score_runs(_from(found, first), _from(dear, first))
        print(json.dumps({"after two days of history": told}))
        _live(store, until, Path(folder))
        store.close()


main()
