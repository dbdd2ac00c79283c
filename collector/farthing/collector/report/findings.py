"""Episodes without progress: those of a run, and what all of a time cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from farthing.collector.report.plain import iso, plain
from farthing.collector.report.sql_text import sql
from farthing.collector.store.client import Store
from farthing.collector.store.finding import StoredFinding

_LIVE: Final = timedelta(minutes=10)
"""A run of which nothing was heard for so long has ended, or is lost."""
_SHORTEST: Final = timedelta(minutes=1)
"""Over a shorter time a rate per hour says nothing."""
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(StoredFinding):
    """One episode, as it is reported."""

    def goes_on(self, now: datetime) -> bool:
        """Whether it has not ended, and was heard of lately."""
        return self.ongoing and now - self.last_time < _LIVE

    @property
    def usd_per_hour(self) -> Decimal | None:
        """What it burns; None where it is too short to say."""
        took = self.last_time - self.first_time
        if took < _SHORTEST:
            return None
        return self.cost_usd * _HOUR_S / Decimal(took.total_seconds())

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The form of `--json`: money is a decimal string."""
        rate = self.usd_per_hour
        return {
            **asdict(self),
            "first_time": iso(self.first_time),
            "at_time": iso(self.at_time),
            "last_time": iso(self.last_time),
            "span_ids": list(self.span_ids),
            "cost_usd": plain(self.cost_usd),
            "lower_bound": self.unpriced_calls > 0,
            "usd_per_hour": None if rate is None else plain(round(rate, 6)),
            "goes_on": self.goes_on(now),
        }


@dataclass(frozen=True, slots=True)
class Waste:
    """What confirmed episodes cost since they began."""

    runs: int
    episodes: int
    cost_usd: Decimal
    unpriced_calls: int

    def share_of(self, spent_usd: Decimal) -> float | None:
        """The part of what was spent; None where nothing was."""
        return float(self.cost_usd / spent_usd) if spent_usd > 0 else None

    def to_json(self, spent_usd: Decimal) -> dict[str, Any]:
        """The form of `--json`."""
        return {
            "runs": self.runs,
            "episodes": self.episodes,
            "cost_usd": plain(self.cost_usd),
            "lower_bound": self.unpriced_calls > 0,
            "share_of_spend": self.share_of(spent_usd),
        }


NO_WASTE: Final = Waste(0, 0, Decimal(0), 0)


def findings(store: Store, run_id: str) -> tuple[Finding, ...]:
    """What is found in a run, the earliest first."""
    return tuple(
        map(Finding.of_row, store.rows(sql("findings.sql"), {"run_id": run_id}))
    )


def latest(store: Store, *, since: datetime, limit: int) -> tuple[Finding, ...]:
    """Findings that reached their level since a moment, the dearest first."""
    asked = {"since_s": int(since.timestamp()), "limit": limit}
    return tuple(map(Finding.of_row, store.rows(sql("latest_findings.sql"), asked)))


def waste(store: Store, within: Mapping[str, Any]) -> Waste:
    """What was confirmed in a range of time, `since_s` to `until_s`."""
    [row] = store.rows(sql("waste.sql"), within)
    return Waste(**row)
