"""The rules that come with Farthing, on the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from farthing.alerts.budgets import Budget, as_given
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.policy import Policy
from farthing.alerts.rule import shipped
from farthing.collector.demo.fleet import fleet
from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.settle import Settler
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.collector.watch.watcher import Watcher
from farthing.economics.prices import load_catalogue

NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
BUDGETS = (
    Budget(name="unit", of="business_unit", window="month", limit_usd=Decimal(1)),
    Budget(name="all", of="everything", window="day", limit_usd=Decimal(100_000)),
    Budget(name="run", of="run", window="run", limit_usd=Decimal(1)),
)
RULES = shipped()


def evaluator(store: Store, file: AlertFile, *, now: datetime = NOW) -> Evaluator:
    given = {k: json.dumps(v) for k, v in as_given(BUDGETS, now).items()}
    sources = Sources(ask=store.rows, given=lambda: given)
    return Evaluator(Policy(), file, sources, clock=lambda: now)


def failures(file: AlertFile) -> dict[str, str]:
    return {e.rule: e.problem for e in file.evaluations().values() if e.problem}


@pytest.fixture(scope="module")
def fleet_store(
    ledger_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A ledger with the demo's week."""
    address = ledger_store.address
    store = Store(type(address)(path=address.path, database="demo_fleet"))
    ledger = Ledger(store, load_catalogue())
    ledger.open(retention_days=36_500)
    requests = [r.SerializeToString() for r in fleet(NOW, runs=400)]
    ledger.load("fleet", requests)
    Settler(store, ledger.catalogue)("fleet")
    Watcher(store)("fleet")
    yield store
    ledger_store.command("DROP DATABASE demo_fleet SYNC")
    store.close()


@pytest.fixture(scope="module")
def empty_store(ledger_store: Store) -> Iterator[Store]:
    address = ledger_store.address
    store = Store(type(address)(path=address.path, database="empty_ledger"))
    Ledger(store, load_catalogue()).open(retention_days=36_500)
    yield store
    ledger_store.command("DROP DATABASE empty_ledger SYNC")
    store.close()


def test_nothing_fires_on_an_empty_ledger(empty_store: Store, file: AlertFile) -> None:
    """Every shipped rule runs where there is nothing yet, and says nothing."""
    evaluator(empty_store, file).evaluate()
    assert failures(file) == {}
    assert file.evaluations().keys() == RULES.keys()
    assert file.incidents(limit=10) == []


def test_the_demo_fleet_has_its_incidents(fleet_store: Store, file: AlertFile) -> None:
    """Of the demo's week, the loop and the run that costs a multiple are found, and
    nothing is said twice."""
    judge = evaluator(fleet_store, file)
    judge.evaluate()
    assert failures(file) == {}
    found = file.open_incidents().values()
    told = sorted((i.rule, i.shown) for i in found if i.phase == "firing")
    assert ("run-cost", RUNAWAY_RUN_ID) in told
    assert ("loop", LOOP_RUN_ID) in told
    assert len(set(told)) == len(told)
