"""What runs of each kind usually take, learned from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

from farthing.collector.store.client import Store
from farthing.economics.loops import Baseline, Taken

_HOUR_S: Final = 3600
_KINDS_MOST: Final = 1000
_FEMTO: Final = 10**15


class Baselines:
    """The baseline of a run: runs of its task type and agent that ended in the month
    before the hour in which it began. It does not depend on when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._learned: dict[tuple[str, str, int], Baseline] = {}

    def exceeded(self, run: Mapping[str, Any]) -> Baseline | None:
        """The baseline that a run, a row of sql/known.sql, leaves far behind; None if
        it does not, or too little is known of its kind."""
        taken = Taken(
            calls=run["tool_calls"],
            tokens=run["tokens"],
            cost_femto_usd=int(Decimal(run["cost_usd"]) * _FEMTO),
        )
        if not run["task_type"] or not taken.is_long:
            return None
        baseline = self._of(run["task_type"], run["agent"], run["began_s"])
        return baseline if baseline.is_exceeded(taken) else None

    def _of(self, task_type: str, agent: str, began_s: int) -> Baseline:
        key = (task_type, agent, began_s // _HOUR_S)
        if key not in self._learned:
            if len(self._learned) >= _KINDS_MOST:
                self._learned.clear()
            self._learned[key] = self._learn(*key)
        return self._learned[key]

    def _learn(self, task_type: str, agent: str, hour: int) -> Baseline:
        asked = {"task_type": task_type, "agent": agent, "hour_s": hour * _HOUR_S}
        sql = (files(__package__) / "sql" / "baseline.sql").read_text(encoding="utf-8")
        [row] = self._store.rows(sql, asked)
        return Baseline(**row)
