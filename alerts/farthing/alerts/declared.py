"""What operators declare while a collector runs: budgets, and orders to stop.

Budgets are in one file, which is read anew when it changes, and in the alerts' own
file, where `farthing budgets set` writes them; orders to stop are in the latter.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from farthing.alerts.budgets import Budget, read_budgets
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident
from farthing.alerts.policy import Match
from farthing.alerts.rule import Rule
from farthing.economics.leases import SUBJECTS
from farthing.errors import ConfigError

log = logging.getLogger(__name__)


class StopOrder(Match):
    """Work that matches must stop: guards that ask the collector raise before the next
    model call. `by` is a person, or a rule."""

    id: str
    by: str
    reason: str = ""
    made_at: datetime


class Declared:
    """The budgets and orders of a data folder, as they are at the moment."""

    def __init__(self, file: AlertFile, path: Path | None) -> None:
        self._file = file
        self._path = path
        self._of_file: tuple[Budget, ...] = read_budgets(path)
        self._changed_ns = self._mtime_ns()

    def budgets(self) -> tuple[Budget, ...]:
        """All of them. A file that became wrong changes nothing: the log says why."""
        changed_ns = self._mtime_ns()
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            try:
                self._of_file = read_budgets(self._path)
            except ConfigError as error:
                log.warning("budgets stay as they were: %s", error)
        names = {budget.name for budget in self._of_file}
        added = [b for name, b in self._added().items() if name not in names]
        return (*self._of_file, *added)

    def set(self, budget: Budget) -> None:
        """Declare a budget, in place of one of its name. Raises ConfigError for one
        that the file declares."""
        self._check_not_of_file(budget.name)
        with self._file.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO budgets VALUES (?, ?)",
                (budget.name, budget.model_dump_json()),
            )

    def remove(self, name: str) -> None:
        """Raises ConfigError where `set` has not declared it."""
        self._check_not_of_file(name)
        with self._file.transaction() as db:
            gone = db.execute("DELETE FROM budgets WHERE name = ?", (name,))
            if not gone.rowcount:
                raise ConfigError(f"there is no budget {name!r}: {self._known()}")

    def orders(self) -> list[StopOrder]:
        """What people ordered, the oldest first."""
        rows = self._file.rows("SELECT told FROM stop_orders ORDER BY rowid")
        return [StopOrder.model_validate_json(row["told"]) for row in rows]

    def stop(
        self,
        match: Mapping[str, tuple[str, ...]],
        *,
        by: str,
        reason: str = "",
        made_at: datetime,
    ) -> StopOrder:
        """Order that work stops. Raises ConfigError for names that no work has."""
        if unknown := sorted(match.keys() - set(SUBJECTS)):
            raise ConfigError(
                f"work cannot be stopped by {', '.join(unknown)}: guards know"
                f" {', '.join(SUBJECTS)}"
            )
        order = StopOrder(
            id=secrets.token_hex(4), match=match, by=by, reason=reason, made_at=made_at
        )
        with self._file.transaction() as db:
            row = (order.id, order.model_dump_json())
            db.execute("INSERT INTO stop_orders VALUES (?, ?)", row)
        return order

    def resume(self, order_id: str) -> None:
        """End an order. Raises ConfigError where there is none."""
        with self._file.transaction() as db:
            gone = db.execute("DELETE FROM stop_orders WHERE id = ?", (order_id,))
            if not gone.rowcount:
                raise ConfigError(
                    f"there is no order {order_id!r}: `farthing budgets stop` without"
                    " anything else lists them"
                )

    def _added(self) -> dict[str, Budget]:
        rows = self._file.rows("SELECT name, told FROM budgets ORDER BY rowid")
        return {row["name"]: Budget(**json.loads(row["told"])) for row in rows}

    def _check_not_of_file(self, name: str) -> None:
        if name in {budget.name for budget in self._of_file}:
            raise ConfigError(
                f"budget {name!r} is declared in {self._path}: change it there"
            )

    def _known(self) -> str:
        names = ", ".join(self._added())
        return f"`farthing budgets set` made {names}" if names else "none was set"

    def _mtime_ns(self) -> int:
        try:
            return self._path.stat().st_mtime_ns if self._path else 0
        except OSError:
            return -1


def ordered_by_rules(
    incidents: Mapping[str, Incident], rules: Mapping[str, Rule]
) -> list[StopOrder]:
    """What rules with `action: stop` order while they fire: that the run stops, or,
    where an alert is about no single run, all work with its labels."""
    found = []
    for incident in incidents.values():
        rule = rules.get(incident.rule)
        labels = {k: v for k, v in incident.labels.items() if k in SUBJECTS and v}
        if rule is None or rule.action != "stop" or not incident.is_firing:
            continue
        if "run_id" in labels:
            labels = {"run_id": labels["run_id"]}
        if labels:
            match = {name: (value,) for name, value in labels.items()}
            found.append(
                StopOrder(
                    id=incident.id,
                    match=match,
                    by=f"rule {incident.rule}",
                    reason=incident.title,
                    made_at=incident.opened_at,
                )
            )
    return found
