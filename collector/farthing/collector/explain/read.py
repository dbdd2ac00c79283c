"""Reads the account of a span from the ledger.

An old entry is explained by the price row that it was priced with, not by today's. The
parts are computed anew and have to add up to what is stored, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from farthing.collector.dialects import estimating
from farthing.collector.explain.account import (
    Account,
    Entry,
    Factor,
    Part,
    PriceRow,
    Sibling,
)
from farthing.collector.store.client import Store
from farthing.economics.prices import ABSENT, RATE_NAMES, Call, Catalogue, Flag, price
from farthing.economics.prices.cost import REQUEST_FEE
from farthing.economics.prices.levels import scaled_rate
from farthing.economics.prices.rates import FACTOR_WORD
from farthing.economics.usage import INCOMPLETE, TokenBuckets
from farthing.errors import ConfigError, FarthingError

_SEARCH: Final = "web_search"
_NO_CALL: Final = "unknown_operation"


class NoSuchSpan(FarthingError):
    """The ledger has no span of this id."""


def account(
    store: Store, span_id: str, catalogue: Catalogue, *, run_id: str = ""
) -> Account:
    """The account of the span whose id begins so; `catalogue` is today's. With a
    `run_id` it is looked for in that run alone, which is much faster.

    Raises NoSuchSpan, ConfigError where more than one span has such an id, and the
    errors of `Store`.
    """
    asked = {"id": span_id.strip().lower(), "run_id": run_id}
    rows = store.rows(_sql("entries.sql"), asked)
    if not rows or not span_id.strip():
        raise NoSuchSpan(
            f"the ledger has no span {span_id!r}: `farthing run show RUN --json` lists"
            " the spans of a run; what was just sent takes some seconds to appear"
        )
    found = sorted({(row["trace_id"], row["span_id"]) for row in rows})
    if len(found) > 1:
        raise ConfigError(
            f"{span_id!r} begins the ids of {len(found)} spans or more, such as"
            f" {found[0][1]} and {found[1][1]}: give more digits"
        )
    entries = tuple(_entry(store, row, catalogue) for row in rows)
    in_force = _in_force(entries)
    today = None
    if in_force is not None and _has_price(in_force.fields):
        today = price(call_of(in_force.fields), catalogue)
    return Account(entries, in_force, today, tuple(_siblings(store, rows[0])))


def _siblings(store: Store, told: Mapping[str, Any]) -> Iterator[Sibling]:
    asked = {name: told[name] for name in ("trace_id", "span_id")}
    asked["time"] = f"{told['time']:%Y-%m-%d %H:%M:%S.%f}"
    for row in store.rows(_sql("siblings.sql"), asked):
        yield Sibling(**row)


def _has_price(fields: Mapping[str, Any]) -> bool:
    """Whether the price book has a say in it."""
    return bool(fields["cost_state"]) and fields["cost_reason"] != _NO_CALL


def call_of(fields: Mapping[str, Any]) -> Call:
    """The call that an entry tells of, as far as the ledger keeps it."""
    counted = fields["usage_rule"] != ""
    buckets = TokenBuckets(**{name: fields[f"{name}_tokens"] for name in RATE_NAMES})
    return Call(
        provider=fields["provider"],
        at=_aware(fields["time"]),
        buckets=buckets if counted else None,
        response_model=fields["response_model"],
        request_model=fields["request_model"],
        host=fields["host"],
        service_tier=fields["service_tier"],
        batch=fields["batch"],
        speed=fields["speed"],
        geo=fields["geo"],
        region=fields["region"],
        deployment=fields["deployment"],
        tool_uses={_SEARCH: fields["web_searches"]},
        claimed_usd=None
        if fields["dialect"] in estimating()
        else fields["claimed_usd"],
        usage_incomplete=not INCOMPLETE.isdisjoint(fields["flags"]),
        invalid_usage=not counted and fields["cost_reason"] == "invalid_usage",
    )


def _in_force(entries: Sequence[Entry]) -> Entry | None:
    """The entry that is left when each reversal has met what it takes back."""
    held: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: -entry.fields["calls"]):
        if entry.fields["calls"] >= 0:
            held.append(entry)
            continue
        met = (other for other in held if _takes_back(entry.fields, other.fields))
        taken = next(met, None)
        if taken is not None:
            held.remove(taken)
    billed = [entry for entry in held if entry.fields["calls"] > 0]
    if billed:
        return billed[0] if len(billed) == 1 else None
    return held[0] if held and not entries[0].fields["cost_state"] else None


def _takes_back(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same = ("cost_state", "price_row", "catalogue", "provider", "model")
    negated = one["cost_usd"] is None or other["cost_usd"] == -one["cost_usd"]
    return negated and all(one[name] == other[name] for name in same)


def _entry(store: Store, fields: dict[str, Any], catalogue: Catalogue) -> Entry:
    row = _price_row(store, fields)
    if row is None:
        return Entry(fields, None, 0, None, ())
    units = [fields[f"{name}_tokens"] for name in RATE_NAMES]
    level = sum(abs(sum(units[:6])) > bound for bound in row.thresholds)
    fees = tuple(_fees(store, fields))
    entries = (
        Entry(fields, row, level, factor, (*_parts(units, row, level, factor), *fees))
        for factor in _factors(fields, catalogue)
    )
    first = next(entries)
    return first if first.adds_up else next((e for e in entries if e.adds_up), first)


def _factors(
    fields: Mapping[str, Any], catalogue: Catalogue
) -> Iterator[Factor | None]:
    """The factor that was used, as the entry names it. Older entries say only that one
    was: those of today's book for the provider are tried, and must add up."""
    named = next((f for f in fields["flags"] if f.startswith(FACTOR_WORD)), "")
    ours = [m for m in catalogue.rules.multipliers if m.provider == fields["provider"]]
    if named:
        label, _, fraction = named.removeprefix(FACTOR_WORD).rpartition(":")
        numerator, _, denominator = fraction.partition("/")
        source = next((row.source for row in ours if row.word == named), "")
        yield Factor(int(numerator), int(denominator), label, source)
    elif Flag.MULTIPLIER in fields["flags"]:
        for row in ours:
            if row.numerator != row.denominator:
                yield Factor(row.numerator, row.denominator, row.label, row.source)
    yield None


def _parts(
    units: Sequence[int], row: PriceRow, level: int, factor: Factor | None
) -> Iterator[Part]:
    rates = row.rates[9 * level : 9 * level + 9]
    for name, count, rate in zip(RATE_NAMES, units, rates, strict=True):
        if not count:
            continue
        if rate == ABSENT:
            yield Part(name, count, None)
        elif factor is None:
            yield Part(name, count, rate)
        else:
            by = scaled_rate(rate, factor.numerator, factor.denominator)
            yield Part(name, count, by)


def _fees(store: Store, fields: Mapping[str, Any]) -> Iterator[Part]:
    """Fees for tools, and the fee per request: the model's own, else its provider's."""
    asked = {
        "catalogue": fields["catalogue"],
        "provider": fields["provider"],
        "model": fields["model"],
        "at_s": int(_aware(fields["time"]).timestamp()),
    }
    fee_of = {
        row["tool"]: row["femto_usd"] for row in store.rows(_sql("fees.sql"), asked)
    }
    if fields["web_searches"]:
        yield Part(f"tool:{_SEARCH}", fields["web_searches"], fee_of.get(_SEARCH))
    if REQUEST_FEE in fee_of:
        yield Part(f"tool:{REQUEST_FEE}", fields["calls"], fee_of[REQUEST_FEE])


def _price_row(store: Store, fields: Mapping[str, Any]) -> PriceRow | None:
    if not fields["price_row"]:
        return None
    asked = {"catalogue": fields["catalogue"], "row_id": fields["price_row"]}
    for row in store.rows(_sql("row.sql"), asked):
        values = {name: row[name] for name in PriceRow.__dataclass_fields__}
        for name in ("thresholds", "rates"):
            values[name] = tuple(values[name])
        return PriceRow(**values)
    return None


def _aware(moment: datetime) -> datetime:
    """The store gives times of UTC without saying so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sql(name: str) -> str:
    return (files(__package__) / "sql" / name).read_text(encoding="utf-8")
