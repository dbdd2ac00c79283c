"""Runs: a list of them, and one with all its spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from farthing.collector.report.plain import iso, plain
from farthing.collector.report.spend import BUCKETS
from farthing.collector.report.sql_text import sql
from farthing.collector.store.client import Store
from farthing.collector.store.text import fill
from farthing.errors import ConfigError

ORDERS: Final = {"cost": "cost_usd", "time": "end_time", "calls": "calls"}
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a task."""

    run_id: str
    task_type: str
    agent: str
    business_unit: str
    team: str
    user: str
    service: str
    start_time: datetime
    end_time: datetime
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
        """Whether some call's cost is unknown, or known in part."""
        return self.unpriced_calls > 0 or self.partial_calls > 0

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`: money is a decimal string, or null
        where nothing of it is known; times are ISO 8601."""
        return {
            "run_id": self.run_id,
            "task_type": self.task_type,
            "agent": self.agent,
            "business_unit": self.business_unit,
            "team": self.team,
            "user": self.user,
            "service": self.service,
            "start_time": iso(self.start_time),
            "end_time": iso(self.end_time),
            "cost_usd": None if self.known_usd is None else plain(self.known_usd),
            "calls": self.calls,
            "unpriced_calls": self.unpriced_calls,
            "lower_bound": self.lower_bound,
            "tool_calls": self.tool_calls,
            "errors": self.errors,
            "tokens": dict(self.tokens),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger as it is shown: a span, or a correction of one."""

    start_time: datetime
    duration_us: int
    entry: str
    reason: str
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    operation: str
    dialect: str
    step: str
    agent: str
    provider: str
    model: str
    model_match: str
    tool_name: str
    error_type: str
    calls: int
    cost_usd: Decimal | None
    tool_fee_usd: Decimal | None
    cost_state: str
    cost_reason: str
    price_row: int
    usage_rule: str
    service_tier: str
    flags: tuple[str, ...]
    tokens: Mapping[str, int]
    owner_span_id: str = ""
    """Of a correction, the span that owns the call."""
    unpriced_buckets: tuple[str, ...] = ()
    """Of a call that is priced in part, what its price row has no rate for."""

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        what = self.tool_name or self.model or self.agent or self.name
        return f"{self.operation or self.kind} {what}".strip()

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        plain_fields = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in _CONVERTED
        }
        return {
            **plain_fields,
            "start_time": iso(self.start_time),
            "cost_usd": None if self.cost_usd is None else plain(self.cost_usd),
            "tool_fee_usd": (
                None if self.tool_fee_usd is None else plain(self.tool_fee_usd)
            ),
            "price_row": str(self.price_row) if self.price_row else None,
            "flags": list(self.flags),
            "unpriced_buckets": list(self.unpriced_buckets),
            "tokens": {k: v for k, v in self.tokens.items() if v},
        }


_CONVERTED: Final = (
    "start_time",
    "cost_usd",
    "tool_fee_usd",
    "price_row",
    "flags",
    "tokens",
    "unpriced_buckets",
)


@dataclass(frozen=True, slots=True)
class Runs:
    """The first runs of all that were asked for, which are `of`."""

    first: tuple[Run, ...]
    of: int


@dataclass(frozen=True, slots=True)
class Entries:
    """The first entries of a run, in the order in which they began; it has `of`."""

    first: tuple[Entry, ...]
    of: int

    @property
    def left_out(self) -> int:
        """How many entries are not among the first."""
        return self.of - len(self.first)


def runs(
    store: Store, *, since: datetime, order: str, task_type: str, limit: int
) -> Runs:
    """Runs that ended since an instant; `order` is a key of ORDERS."""
    return _runs(store, since=since, order=order, task_type=task_type, limit=limit)


def run(store: Store, run_id: str, *, limit: int = 1000) -> tuple[Run, Entries]:
    """A run and its first entries, by its id or by a beginning that no other run has.

    Raises ConfigError if there is no such run, or more than one.
    """
    run_id = _whole(store, run_id)
    found = _runs(
        store, since=_EPOCH, order="cost", task_type="", limit=1, run_id=run_id
    )
    rows = store.rows(sql("run_spans.sql"), {"run_id": run_id, "limit": limit})
    return found.first[0], Entries(tuple(map(_entry, rows)), _of(rows))


def _whole(store: Store, run_id: str) -> str:
    rows = store.rows(sql("run_ids.sql"), {"run_id": run_id}) if run_id else []
    ids = [str(row["run_id"]) for row in rows]
    if not ids:
        raise ConfigError(f"there is no run {run_id!r}; `farthing runs` lists them")
    if len(ids) > 1 and ids[0] != run_id:
        raise ConfigError(f"more than one run begins so: {', '.join(ids)}")
    return ids[0]


def _runs(
    store: Store,
    *,
    since: datetime,
    order: str,
    task_type: str,
    limit: int,
    run_id: str = "",
) -> Runs:
    rows = store.rows(
        fill(sql("runs.sql"), {"order": ORDERS[order]}),
        {
            "since_s": int(since.timestamp()),
            "task_type": task_type,
            "limit": limit,
            "run_id": run_id,
        },
    )
    return Runs(tuple(Run(**_split(row)) for row in rows), _of(rows))


def _entry(row: Mapping[str, Any]) -> Entry:
    fields = _split(row)
    for name in ("flags", "unpriced_buckets"):
        fields[name] = tuple(fields[name])
    del fields["time"]
    return Entry(**fields)


def _of(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many rows there are without the limit."""
    return int(rows[0]["of"]) if rows else 0


def _split(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its token columns gathered under `tokens`."""
    fields = {n: value for n, value in row.items() if n not in BUCKETS and n != "of"}
    fields["tokens"] = {name: row[name] for name in BUCKETS}
    return fields
