"""An account as JSON: money is a decimal string, times are ISO 8601."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from farthing.collector.explain.account import Account, Entry, PriceRow
from farthing.collector.report.plain import iso, plain
from farthing.economics.prices import Cost
from farthing.economics.prices.levels import usd_per_mtok
from farthing.economics.prices.rates import Ctx

_TOLD: Final = (
    "run_id", "trace_id", "span_id", "name", "kind", "scope", "scope_version",
    "dialect", "usage_rule", "provider", "model", "model_match", "request_model",
    "response_model", "host", "service_tier", "speed", "batch", "geo", "region",
    "deployment",
)  # fmt: skip


def to_json(found: Account) -> dict[str, Any]:
    """The form of `farthing explain --json`."""
    said = found.told.fields
    return {
        **{name: said[name] for name in _TOLD},
        "time": iso(said["time"]),
        "left_out": [asdict(sibling) for sibling in found.siblings],
        "entries": [_entry_json(entry) for entry in found.entries],
        "net_usd": _plain(found.net_usd),
        "net_calls": found.net_calls,
        "adds_up": found.adds_up,
        "today": None if found.today is None else _today(found, found.today),
    }


def _today(found: Account, cost: Cost) -> dict[str, Any]:
    return {
        "state": cost.state.value,
        "reason": None if cost.reason is None else cost.reason.value,
        "cost_usd": _plain(cost.usd),
        "price_row": str(cost.row_id) if cost.row_id else None,
        "catalogue": cost.catalogue_sha256,
        "differs": found.today_differs,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    said = entry.fields
    return {
        "entry": said["entry"],
        "reason": said["reason"],
        "owner_span_id": said["owner_span_id"],
        "load": said["load"],
        "ingested_at": iso(said["ingested_at"]),
        "calls": said["calls"],
        "cost_usd": _plain(entry.cost_usd),
        "list_usd": _plain(entry.list_usd),
        "claimed_usd": _plain(said["claimed_usd"]),
        "cost_state": said["cost_state"],
        "cost_reason": said["cost_reason"],
        "flags": list(said["flags"]),
        "price": None if entry.row is None else _row_json(entry, entry.row),
        "parts": [
            {
                "name": part.name,
                "units": part.units,
                "usd_per_million": (
                    None if part.rate_femto is None else usd_per_mtok(part.rate_femto)
                ),
                "usd": _plain(part.usd),
            }
            for part in entry.parts
        ],
        "adds_up": entry.adds_up,
    }


def _row_json(entry: Entry, row: PriceRow) -> dict[str, Any]:
    return {
        "row": str(row.row_id),
        "catalogue": row.catalogue,
        "provider": row.provider,
        "model": row.model,
        "served_as": Ctx(row.ctx).name.lower(),
        "slot": row.slot,
        "valid_from": day(row.valid_from) if row.valid_from else None,
        "valid_to": None if row.is_open else day(row.valid_to + 1),
        "level": entry.level,
        "thresholds": list(row.thresholds),
        "factor": None if entry.factor is None else asdict(entry.factor),
        "origin": row.origin,
        "source": row.source,
        "checked_on": row.checked_on,
        "notes": row.notes.split(),
    }


def day(epoch_s: int) -> str:
    """An instant as ISO 8601, a midnight as its date."""
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return moment.isoformat().removesuffix("T00:00:00+00:00")


def _plain(usd: Decimal | None) -> str | None:
    return None if usd is None else plain(usd)
