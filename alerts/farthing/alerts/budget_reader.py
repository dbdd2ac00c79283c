"""Reads the ledger for the budgets that processes share, in a thread of its own.

After each load and by the clock; at once where a guard asks for a run that was not
looked up yet. Each part stands for itself: one that cannot be read keeps neither the
others nor an order to stop from the guards. Whole readings take at most a tenth of the
thread's time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from farthing.alerts.channel import Clock, utc_now
from farthing.alerts.declared import Declared, StopOrder
from farthing.alerts.evaluate import Ask
from farthing.alerts.shared import Reading, SharedBudgets
from farthing.alerts.spent import document, used, used_by_run

log = logging.getLogger(__name__)

_SHORTEST_S: Final = 0.2
_LONGEST_S: Final = 2.0
_LONGEST_REST_S: Final = 5.0
_REST: Final = 9
_BREATH_S: Final = 0.05
_RUNS_AT_ONCE: Final = 100
"""Their ids go to a server in a URL, which must not be too long."""


class BudgetReader:
    """Keeps `shared` up to date from `start` to `stop`. `orders` are those that hold,
    `lag_s` how old what waits for the ledger is."""

    def __init__(
        self,
        ask: Ask,
        declared: Declared,
        *,
        orders: Callable[[], Sequence[StopOrder]],
        lag_s: Callable[[], float] = lambda: 0.0,
        clock: Clock = utc_now,
    ) -> None:
        self._ask = ask
        self._declared = declared
        self._orders = orders
        self._lag_s = lag_s
        self._clock = clock
        self._document: bytes | None = None
        self._problems: dict[tuple[str, int], str] = {}
        self._is_poked = False
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="budgets")
        self.shared = SharedBudgets(wake=self._woken.set)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def poke(self) -> None:
        """Something was loaded or ordered: read soon."""
        self._is_poked = True
        self._woken.set()

    def stop(self) -> None:
        """Finish the reading under way and end."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def document(self) -> bytes | None:
        """What is spent of the budgets, as JSON, a few seconds old at most while the
        store answers; None until it is known."""
        return self._document

    def read(self) -> None:
        """Read everything once."""
        self._attempt("orders to stop", self._read_orders)
        self._attempt("what is spent of budgets", self._read_windows)
        self._look_up(self.shared.run_ids())
        self.shared.release()

    def look_up(self) -> None:
        """Read what those runs spent that were not looked up yet."""
        self._look_up(self.shared.run_ids(unread=True))

    def _run(self) -> None:
        soonest_s = latest_s = time.monotonic()
        while not self._stopping.is_set():
            self._woken.clear()
            began_s = time.monotonic()
            if began_s >= (soonest_s if self._is_poked else latest_s):
                self._is_poked = False
                self.read()
                ended_s = time.monotonic()
                rest_s = max(_SHORTEST_S, _REST * (ended_s - began_s))
                soonest_s = ended_s + min(rest_s, _LONGEST_REST_S)
                latest_s = max(soonest_s, ended_s + _LONGEST_S)
            else:
                self.look_up()
            self._stopping.wait(_BREATH_S)
            until_s = soonest_s if self._is_poked else latest_s
            self._woken.wait(max(0.0, until_s - time.monotonic()))

    def _read_orders(self) -> None:
        self.shared.order(self._orders())

    def _read_windows(self) -> None:
        now, budgets, lag_s = self._clock(), self._declared.budgets(), self._lag_s()
        windows = tuple(budget for budget in budgets if budget.of != "run")
        lines = used(self._ask, windows, now=now) if windows else ()
        self.shared.update(Reading(now, budgets, lines, lag_s))
        self._document = document(lines, budgets, now=now)

    def _look_up(self, run_ids: Sequence[str]) -> None:
        for part, first in enumerate(range(0, len(run_ids), _RUNS_AT_ONCE)):
            some = run_ids[first : first + _RUNS_AT_ONCE]
            self._attempt("what runs spent", partial(self._learn, some), part=part)

    def _learn(self, run_ids: Sequence[str]) -> None:
        lag_s = self._lag_s()  # what is loaded while we ask may not be in the answer
        self.shared.learn(used_by_run(self._ask, run_ids), lag_s=lag_s)

    def _attempt(self, what: str, read: Callable[[], None], *, part: int = 0) -> None:
        """A failure is logged once, until it is another one or none."""
        problem = ""
        try:
            read()
        except Exception as error:  # noqa: BLE001 - others are read all the same
            problem = f"{type(error).__name__}: {error}"
            if problem != self._problems.get((what, part)):
                log.warning("%s cannot be read: %s", what, problem)
        self._problems[what, part] = problem
