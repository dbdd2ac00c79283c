"""What re-pricing would change: the calls in force, asked batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from farthing.collector.dialects import estimating
from farthing.collector.reprice.columns import line_of, sql
from farthing.collector.reprice.ways import (
    FLAGS_OF_PRICE,
    Terms,
    Way,
    terms,
    turning_points,
    way_of_row,
)
from farthing.collector.store.client import Store
from farthing.collector.store.text import array, fill, integers, quoted
from farthing.economics.prices import RATE_NAMES, Catalogue
from farthing.economics.prices.rates import FACTOR_WORD

ENTRIES_PER_BATCH: Final = 50_000
_TERMS_BYTES: Final = 150_000
"""Of SQL text: a statement may have 256 kB."""
_WAY: Final = Way._fields[3:]
_SAID: Final = (
    *_WAY, "usage_rule", "cost_state", "cost_reason", "price_row", "model", "flags",
    "dialect",
)  # fmt: skip
_MONTH: Final = timedelta(days=31)
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)

Progress = Callable[[int], None]
"""Called with the number of entries looked at so far."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which calls: those that ended in [since, until), and whose model on the price
    list, requested or served model is `model` unless that is empty."""

    since: datetime
    until: datetime
    model: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What changes for the calls of one model from one state to another.

    Costs are in USD; None where no call of them had, or has, a known cost.
    """

    provider: str
    model: str
    old_state: str
    new_state: str
    reason: str
    calls: int
    old_usd: Decimal | None
    new_usd: Decimal | None

    @property
    def difference_usd(self) -> Decimal:
        """By how much the totals of the ledger change: a cost that is not known adds
        nothing to them."""
        return (self.new_usd or Decimal(0)) - (self.old_usd or Decimal(0))

    def __add__(self, other: Change) -> Change:
        return Change(
            self.provider,
            self.model,
            self.old_state,
            self.new_state,
            self.reason,
            self.calls + other.calls,
            _sum(self.old_usd, other.old_usd),
            _sum(self.new_usd, other.new_usd),
        )


@dataclass(slots=True)
class Outlook:
    """What changes, in all, by model and state.

    `looked_at` counts the calls in force; `unsettled` those that are told more than
    once, or in parts, and are left alone until that is settled.
    """

    looked_at: int = 0
    unsettled: int = 0
    _changes: dict[tuple[str, ...], Change] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """Each model and pair of states once; the largest difference first."""
        return sorted(
            self._changes.values(),
            key=lambda c: (-abs(c.difference_usd), c.provider, c.model, c.old_state),
        )

    @property
    def calls(self) -> int:
        """How many calls change."""
        return sum(change.calls for change in self._changes.values())

    @property
    def difference_usd(self) -> Decimal:
        """By how much the totals of the ledger change."""
        changes = self._changes.values()
        return sum((change.difference_usd for change in changes), Decimal(0))

    def add(self, change: Change) -> None:
        """Take further calls in."""
        key = (
            change.provider, change.model, change.old_state, change.new_state,
            change.reason,
        )  # fmt: skip
        held = self._changes.get(key)
        self._changes[key] = change if held is None else held + change


@dataclass(frozen=True)
class Batch:
    """Changes that are written together; `values` fill the statements about them."""

    values: Mapping[str, str]
    changes: tuple[Change, ...]
    identity: int


def preview(
    store: Store, catalogue: Catalogue, scope: Scope, *, progress: Progress
) -> Outlook:
    """What `catalogue` would change. Writes nothing. Errors are those of `Store`."""
    outlook = Outlook()
    for batch in batches(store, catalogue, scope, outlook=outlook, progress=progress):
        for change in batch.changes:
            outlook.add(change)
    return outlook


def batches(
    store: Store,
    catalogue: Catalogue,
    scope: Scope,
    *,
    outlook: Outlook,
    progress: Progress,
) -> Iterator[Batch]:
    """The changes, none of which has effect on another.

    Counts what it looks at in `outlook`.
    """
    seen, line = 0, line_of(store)
    for stretch, entries in _stretches(store, scope):
        parts = -(-entries // ENTRIES_PER_BATCH)
        shared = {"line": line, **_values(catalogue, stretch, parts=parts)}
        for part in range(parts):
            values = {**shared, "part": str(part)}
            ways = _ways(store, values, outlook)
            for some in _chunks([terms(way, catalogue) for way in ways]):
                batch = _batch(store, {**values, "terms": some})
                if batch.changes:
                    yield batch
            progress(seen + entries * (part + 1) // parts)
        seen += entries


def statement(name: str, values: Mapping[str, str]) -> str:
    """A statement of `sql/`, filled in."""
    parts = {part: fill(sql(f"{part}.sql"), values) for part in ("lines", "priced")}
    return fill(sql(f"{name}.sql"), {**values, **parts})


def _stretches(store: Store, scope: Scope) -> Iterator[tuple[Scope, int]]:
    """The scope cut into stretches of days, and how many entries each has: about a
    batch full, but at least a day and at most a month."""
    range_ = {"since_us": _us(scope.since), "until_us": _us(scope.until)}
    begin, end, held = scope.since, scope.since, 0
    for row in store.rows(fill(sql("days.sql"), range_)):
        day = datetime.combine(row["day"], time(), UTC)
        if held and (
            held + row["entries"] > ENTRIES_PER_BATCH or day - begin >= _MONTH
        ):
            yield replace(scope, since=begin, until=end), held
            held = 0
        if not held:
            begin = max(day, scope.since)
        held += row["entries"]
        end = min(day + timedelta(days=1), scope.until)
    if held:
        yield replace(scope, since=begin, until=end), held


def _values(catalogue: Catalogue, scope: Scope, *, parts: int) -> dict[str, str]:
    start_s = int(scope.since.timestamp())
    points = turning_points(catalogue, start_s, int(scope.until.timestamp()) + 1)
    names = f"{quoted(scope.model)} IN (model, request_model, response_model)"
    return {
        "since_us": _us(scope.since),
        "until_us": _us(scope.until),
        "parts": str(parts),
        "points": integers(points, "Int64"),
        "said": ", ".join(f"any(s.{name}) AS {name}" for name in _SAID),
        "way": ", ".join(_WAY),
        "any_way": ", ".join(f"any({name}) AS {name}" for name in _WAY),
        "no_way": ", ".join(
            f"{'false' if name == 'batch' else quoted('')} AS {name}" for name in _WAY
        ),
        "sums": ", ".join(f"sum(s.{name}_tokens)" for name in RATE_NAMES),
        "measures": ",\n    ".join(
            f"sign * c.tokens[{place}] AS {name}_tokens"
            for place, name in enumerate(RATE_NAMES, start=1)
        ),
        "chosen": names if scope.model else "true",
        "terms": "",
        "terms_type": Terms.TYPE,
        "flags_of_price": array(sorted(FLAGS_OF_PRICE)),
        "estimating": array(sorted(estimating())),
        "factor_word": quoted(FACTOR_WORD),
        "catalogue": quoted(catalogue.sha256),
    }


def _ways(store: Store, values: Mapping[str, str], outlook: Outlook) -> list[Way]:
    ways = []
    for row in store.rows(statement("ways", values)):
        outlook.unsettled += row["unsettled"]
        if row["spans"]:
            outlook.looked_at += row["spans"]
            ways.append(way_of_row(row))
    return ways


def _chunks(all_terms: list[Terms]) -> Iterator[str]:
    """The terms as SQL, as many at once as a statement may hold."""
    held: list[str] = []
    size = 0
    for literal in sorted(one.literal() for one in all_terms):
        if held and size + len(literal) > _TERMS_BYTES:
            yield ", ".join(held)
            held, size = [], 0
        held.append(literal)
        size += len(literal)
    if held:
        yield ", ".join(held)


def _batch(store: Store, values: Mapping[str, str]) -> Batch:
    changes, identity = [], 0
    for row in store.rows(statement("changes", values)):
        identity = (identity + row.pop("identity")) % 2**64
        changes.append(Change(**row))
    return Batch(values, tuple(changes), identity)


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other


def _us(moment: datetime) -> str:
    return str((moment - _EPOCH) // _MICROSECOND)
