"""What a model costs, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from farthing.cli import show
from farthing.cli.show import Column
from farthing.collector.report.plain import plain
from farthing.economics.prices.call import Call
from farthing.economics.prices.explain import Explanation, Quote
from farthing.economics.prices.levels import usd_per_mtok
from farthing.economics.prices.packaged import iso
from farthing.economics.prices.rates import OPEN_END, RATE_NAMES, Ctx, Level, RateRow

_RANKS: Final = (0, 0, 0, 2, 3, 3, 0, 1, 3)
_RATES: Final = tuple(
    Column(name.replace("_", " "), "right", rank)
    for name, rank in zip(RATE_NAMES, _RANKS, strict=True)
)


def print_quotes(model: str, at: datetime, quotes: tuple[Quote, ...]) -> None:
    """A line per provider, way to be served and level."""
    rows = [
        [quote.provider, _served(row, index), *_rates(level)]
        for quote in quotes
        for row in quote.rows
        for index, level in enumerate(row.levels)
    ]
    columns = [Column("provider"), Column("served as"), *_RATES]
    title = f"{model} at {at:%Y-%m-%d %H:%M} UTC, USD per million tokens"
    show.table(columns, rows, title=title)
    for quote in quotes:
        if not quote.rows:
            show.line(f"{quote.provider}: known as {quote.model}, without a price then")
    show.line()


def _served(row: RateRow, index: int) -> str:
    name = Ctx(row.ctx).name.lower().replace("_", " ")
    if row.kind != "priced":
        name = f"{name}, {row.kind.value}"
    return name if index == 0 else f"{name} > {row.thresholds[index - 1]:,} tokens in"


def _rates(level: Level) -> list[str]:
    return [show.UNKNOWN if rate is None else usd_per_mtok(rate) for rate in level]


def print_steps(call: Call, told: Explanation) -> None:
    """How the cost of one call comes about."""
    show.table(
        [Column("step"), Column("result"), Column("why")],
        [[step.name.replace("_", " "), step.result, step.why] for step in told.steps],
        title=f"One call at {call.provider}, step by step",
    )
    show.line("Price another with --tokens input=1200,output=300, --provider or --at.")


def lookup_json(
    model: str, at: datetime, quotes: tuple[Quote, ...], told: Explanation
) -> dict[str, Any]:
    """The form of `prices lookup --json`: money and rates are decimal strings."""
    cost = told.cost
    return {
        "model": model,
        "at": at.isoformat(),
        "quotes": [_quote_json(quote) for quote in quotes],
        "call": {
            "provider": cost.provider,
            "model": cost.model,
            "state": cost.state.value,
            "reason": None if cost.reason is None else cost.reason.value,
            "cost_usd": None if cost.usd is None else plain(cost.usd),
            "components_usd": {k: plain(v) for k, v in cost.components_usd.items()},
            "price_row": str(cost.row_id) if cost.row_id else None,
            "catalogue": cost.catalogue_sha256,
            "flags": [flag.value for flag in cost.flags],
            "steps": [step._asdict() for step in told.steps],
        },
    }


def _quote_json(quote: Quote) -> dict[str, Any]:
    return {
        "provider": quote.provider,
        "model": quote.model,
        "match": quote.match,
        "prices": [
            {
                "price_row": str(row.row_id),
                "served_as": Ctx(row.ctx).name.lower(),
                "kind": row.kind.value,
                "valid_from": iso(row.valid_from) if row.valid_from else None,
                "valid_to": iso(row.valid_to) if row.valid_to != OPEN_END else None,
                "above_input_tokens": [0, *row.thresholds],
                "usd_per_mtok": [_level_json(level) for level in row.levels],
                "origin": row.origin.value,
                "source": source,
            }
            for row, source in zip(quote.rows, quote.sources, strict=True)
        ],
    }


def _level_json(level: Level) -> Mapping[str, str | None]:
    return {
        name: None if rate is None else usd_per_mtok(rate)
        for name, rate in zip(RATE_NAMES, level, strict=True)
    }
