"""What runs of each kind usually take, learned from the ledger."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from farthing.collector.store.client import Store
from farthing.collector.watch.repeats import Standing
from farthing.economics.loops import Baseline

_HOUR_S: Final = 3600
_KINDS_MOST: Final = 1000


class Baselines:
    """The baseline of a run: runs of its task type and agent that ended in the month
    before the hour in which it began. It does not depend on when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._learned: dict[tuple[str, str, int], Baseline] = {}

    def exceeded(self, run: Standing) -> Baseline | None:
        """The baseline that a run leaves far behind; None if it does not, or too little
        is known of its kind."""
        if not run.task_type or not run.is_long:
            return None
        taken = run.taken
        baseline = self._of(run.task_type, run.agent, run.began_us // 1_000_000)
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
