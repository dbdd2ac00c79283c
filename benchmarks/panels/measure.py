"""How long one panel takes, as the page asks it."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta

from farthing.collector.store.client import Store
from farthing.collector.web.page.asking import LIMITS, asked
from farthing.dashboards.macros import View


@dataclass(frozen=True, slots=True)
class Took:
    """One panel over one range: of so many askings, and what one of them read."""

    panel: str
    times_ms: tuple[float, ...]
    read_rows: int
    read_bytes: int

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.times_ms)

    @property
    def p95_ms(self) -> float:
        """The slowest of up to 20, the second slowest of up to 40 …"""
        return sorted(self.times_ms)[-1 - (len(self.times_ms) - 1) // 20]


def took(store: Store, name: str, view: View, *, times: int) -> Took:
    """Ask a panel's question once, then so many `times`, the range a second later each
    time: as pages do, and so that no cache of answers can help."""
    told = json.loads(store.raw(_sql(name, view, 0), fmt="JSON"))["statistics"]
    times_ms = tuple(ask(store, name, view, later_s=i + 1) for i in range(times))
    return Took(name, times_ms, told["rows_read"], told["bytes_read"])


def ask(store: Store, name: str, view: View, *, later_s: int = 0) -> float:
    """Ask a panel's question; returns the milliseconds until its rows are here."""
    sql = _sql(name, view, later_s)
    began_s = time.perf_counter()
    store.rows(sql, settings=LIMITS)
    return (time.perf_counter() - began_s) * 1000


def _sql(name: str, view: View, later_s: int) -> str:
    later = timedelta(seconds=later_s)
    moved = View(view.since + later, view.until + later, view.chosen)
    return asked(name, moved)
