"""What was spent in a range of whole hours, as a total and by one dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from farthing.collector.report.findings import Waste, waste
from farthing.collector.report.plain import plain
from farthing.collector.report.sql_text import sql
from farthing.collector.store.client import Store
from farthing.collector.store.text import fill
from farthing.errors import ConfigError

DIMENSIONS: Final = (
    "task_type",
    "business_unit",
    "team",
    "user",
    "agent",
    "model",
    "step",
    "service",
    "environment",
    "provider",
)
BUCKETS: Final = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "input_audio",
    "cache_audio",
    "output",
    "reasoning",
    "output_audio",
)
"""Token buckets; they do not overlap, so their sum is what was used."""

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Spend:
    """Money and counts of one group, or of all."""

    key: str
    cost_usd: Decimal
    calls: int
    unpriced_calls: int
    partial_calls: int
    tool_calls: int
    errors: int
    tokens: Mapping[str, int]

    @property
    def known_usd(self) -> Decimal | None:
        """The cost, as far as it is known; None where that is of no call."""
        is_unknown = 0 < self.calls == self.unpriced_calls
        return None if is_unknown else self.cost_usd

    @property
    def lower_bound(self) -> bool:
        """Whether some call's cost is unknown, or known in part: it cost more."""
        return self.unpriced_calls > 0 or self.partial_calls > 0

    @property
    def cache_hit_rate(self) -> float | None:
        """Share of prompt tokens that was read from a cache; None without a prompt."""
        read = self.tokens["cache_read"] + self.tokens["cache_audio"]
        prompt = read + sum(
            self.tokens[name]
            for name in ("input", "cache_write_5m", "cache_write_1h", "input_audio")
        )
        return read / prompt if prompt > 0 else None

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`: money is a decimal string, or null, as `known_usd`."""
        return {
            "cost_usd": None if self.known_usd is None else plain(self.known_usd),
            "calls": self.calls,
            "unpriced_calls": self.unpriced_calls,
            "partial_calls": self.partial_calls,
            "lower_bound": self.lower_bound,
            "tokens": dict(self.tokens),
            "cache_hit_rate": self.cache_hit_rate,
            "tool_calls": self.tool_calls,
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model whose cost is unknown or partial for one reason."""

    state: str
    reason: str
    provider: str
    model: str
    calls: int

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Report:
    """Spend from `since` (inclusive) to `until` (exclusive), whole hours, UTC, as it is
    known at `now`."""

    since: datetime
    until: datetime
    now: datetime
    by: str
    total: Spend
    groups: tuple[Spend, ...]
    states: Mapping[str, int]
    unpriced: tuple[Unpriced, ...]
    wasted: Waste

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "by": self.by,
            "total": {**self.total.to_json(), "states": dict(self.states)},
            "groups": [{"key": group.key, **group.to_json()} for group in self.groups],
            "unpriced": [reason.to_json() for reason in self.unpriced],
            "wasted": self.wasted.to_json(self.total.cost_usd),
        }


def spend(store: Store, *, by: str, since: datetime, now: datetime) -> Report:
    """The report for the hours from the one of `since` to the one of `now`."""
    if by not in DIMENSIONS:
        raise ConfigError(
            f"cannot report by {by!r}; by one of: {', '.join(DIMENSIONS)}"
        )
    since, until = whole_hour(since), whole_hour(now) + _HOUR
    within = _within(since, until)
    rows = store.rows(
        fill(sql("spend.sql"), {"dimension": by, "of_total": "1"}), within
    )
    spends = [(row["is_total"], _spend(row)) for row in rows]
    states = store.rows(sql("states.sql"), within)
    total = next((s for is_total, s in spends if is_total), _NOTHING)
    return Report(
        since=since,
        until=until,
        now=now,
        by=by,
        total=total,
        groups=tuple(s for is_total, s in spends if not is_total),
        states={row["state"]: row["calls"] for row in states},
        unpriced=unpriced(store, since=since, until=until) if total.lower_bound else (),
        wasted=waste(store, within),
    )


def unpriced(
    store: Store, *, since: datetime, until: datetime, limit: int = 10
) -> tuple[Unpriced, ...]:
    """The commonest reasons why calls have no price, or a part of one."""
    rows = store.rows(sql("unpriced.sql"), {**_within(since, until), "limit": limit})
    return tuple(Unpriced(**row) for row in rows)


def _spend(row: Mapping[str, Any]) -> Spend:
    return Spend(
        key=row["key"],
        cost_usd=row["cost_usd"],
        calls=row["calls"],
        unpriced_calls=row["unpriced_calls"],
        partial_calls=row["partial_calls"],
        tool_calls=row["tool_calls"],
        errors=row["errors"],
        tokens={name: row[name] for name in BUCKETS},
    )


def _within(since: datetime, until: datetime) -> dict[str, Any]:
    return {"since_s": int(since.timestamp()), "until_s": int(until.timestamp())}


def whole_hour(moment: datetime) -> datetime:
    """The beginning of its hour, in UTC: ranges of a report begin there."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


_NOTHING: Final = Spend("", Decimal(0), 0, 0, 0, 0, 0, dict.fromkeys(BUCKETS, 0))
