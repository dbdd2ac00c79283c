"""Runs in a ledger, as a test describes them, and an evaluator on it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from farthing.alerts.budgets import Budget, as_given
from farthing.alerts.evaluate import Evaluator, Sources
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident
from farthing.alerts.policy import Policy
from farthing.collector.store.client import Address, Store
from farthing.collector.store.ledger import Ledger
from farthing.economics.prices import load_catalogue

NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
_COLUMNS = (
    *("run_id", "time", "kind", "task_type", "business_unit", "team", "calls"),
    *("cost_usd", "cost_state", "duration_us", "model", "ingested_at"),
)


@contextmanager
def own_ledger(shared: Store, name: str) -> Iterator[Store]:
    """An empty ledger of its own in the engine of `shared`."""
    store = Store(Address(path=shared.address.path, database=name))
    Ledger(store, load_catalogue()).open(retention_days=None)
    yield store
    shared.command(f"DROP DATABASE {name} SYNC")
    store.close()


def call(
    run_id: str,
    usd: str | None,
    *,
    ago: timedelta,
    now: datetime = NOW,
    task_type: str = "review",
) -> list[object]:
    """One model call that ended some time ago; of unknown cost where `usd` is None."""
    time = f"{now - ago:%Y-%m-%d %H:%M:%S.%f}"
    state = "unpriced" if usd is None else "priced"
    who = [task_type, "platform", "infra"]
    money = [1, usd, state, 1_000_000, "gpt-5"]
    return [run_id, time, "model_call", *who, *money, time[:19]]


def add(store: Store, calls: Sequence[list[object]]) -> None:
    """Put calls into the ledger."""
    store.insert("spans", _COLUMNS, calls)


class Watch:
    """An evaluator over `store`, by a clock of its own."""

    def __init__(
        self,
        store: Store,
        file: AlertFile,
        *,
        policy: Policy | None = None,
        budgets: tuple[Budget, ...] = (),
        now: datetime = NOW,
    ) -> None:
        self.now = now
        self.file = file
        self.store = store

        def given() -> dict[str, str]:
            told = as_given(budgets, self.now)
            return {name: json.dumps(value) for name, value in told.items()}

        sources = Sources(ask=store.rows, given=given)
        self.judge = Evaluator(
            policy or Policy(), file, sources, clock=lambda: self.now
        )

    def look(self, rule: str, *, after: timedelta = timedelta(0)) -> list[Incident]:
        """Evaluate a rule once; the newest incidents of it."""
        self.now += after
        assert self.judge.evaluate_rule(self.judge.rules[rule]), self.problem(rule)
        return [i for i in self.file.incidents(limit=1000) if i.rule == rule]

    def problem(self, rule: str) -> str:
        return self.file.evaluations()[rule].problem


def usd(text: str) -> Decimal:
    return Decimal(text)
