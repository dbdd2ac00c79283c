"""The packaged form of a catalogue: three text files that diff line by line.

`rates.tsv`   one row per price and period, in USD per million tokens
`models.tsv`  one row per model: its ids, with a `*` where a dated form is allowed
`rules.json`  the resolver's tables
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from farthing.economics.prices.levels import femto_per_token, usd_per_mtok
from farthing.economics.prices.rates import (
    OPEN_END,
    RATE_NAMES,
    Ctx,
    Kind,
    Level,
    ModelId,
    Note,
    Origin,
    RateKey,
    RateRow,
)
from farthing.economics.prices.rules import Rules

RATES_FILE, MODELS_FILE, RULES_FILE = "rates.tsv", "models.tsv", "rules.json"
COLUMNS = (
    "provider",
    "model",
    "ctx",
    "slot",
    "valid_from",
    "valid_to",
    "levels",
    "kind",
    "currency",
    "origin",
    "notes",
    "checked_on",
    "source",
)
_CTX_NAMES = {ctx: ctx.name.lower() for ctx in Ctx}
_CTX_CODES = {name: int(ctx) for ctx, name in _CTX_NAMES.items()}


def write_rates(rows: Iterable[RateRow]) -> str:
    """Rows as TSV text, sorted, with a header line."""
    ordered = sorted(rows, key=lambda row: (row.key, row.valid_from))
    lines = ["\t".join(COLUMNS), *(_rate_line(row) for row in ordered)]
    return "\n".join(lines) + "\n"


def index_rates(text: str) -> dict[RateKey, list[str]]:
    """The lines of a TSV text by key; `read_rate` makes a row of a line."""
    found: dict[RateKey, list[str]] = {}
    for line in text.splitlines()[1:]:
        provider, model, ctx, slot, _ = line.split("\t", 4)
        key = RateKey(provider, model, _CTX_CODES[ctx], int(slot))
        found.setdefault(key, []).append(line)
    return found


def read_rate(line: str) -> RateRow:
    """One line of `rates.tsv` as a row."""
    (
        provider,
        model,
        ctx,
        slot,
        valid_from,
        valid_to,
        levels,
        kind,
        currency,
        origin,
        notes,
        checked_on,
        source,
    ) = line.split("\t")
    first, *above = levels.split(" | ")
    return RateRow(
        provider=provider,
        model=model,
        ctx=_CTX_CODES[ctx],
        slot=int(slot),
        valid_from=seconds(valid_from) if valid_from else 0,
        valid_to=seconds(valid_to) if valid_to else OPEN_END,
        thresholds=tuple(int(part[1:].split(" ", 1)[0]) for part in above),
        levels=(_level(first), *(_level(part.split(" ", 1)[1]) for part in above)),
        kind=Kind(kind),
        currency=currency,
        origin=Origin(origin),
        notes=tuple(map(Note, notes.split())),
        checked_on=checked_on,
        source=source,
    )


def write_models(ids: Iterable[ModelId]) -> str:
    """Model ids as TSV text, one line per model, sorted, with a header line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in sorted(ids, key=lambda row: (row.provider, row.model, row.id)):
        shown = row.id + ("*" if row.dated_ok else "")
        lines.setdefault((row.provider, row.model), []).append(shown)
    body = (f"{p}\t{m}\t{' '.join(shown)}" for (p, m), shown in lines.items())
    return "\n".join(["provider\tmodel\tids", *body]) + "\n"


def read_models(text: str) -> dict[tuple[str, str], ModelId]:
    """The ids of a TSV text by (provider, id)."""
    found: dict[tuple[str, str], ModelId] = {}
    for line in text.splitlines()[1:]:
        provider, model, ids = line.split("\t")
        for shown in ids.split(" "):
            dated_ok = shown.endswith("*")
            name = shown[:-1] if dated_ok else shown
            kind = "exact" if name == model else "alias"
            found[provider, name] = ModelId(provider, name, model, kind, dated_ok)
    return found


def write_rules(rules: Rules) -> str:
    """The rules as JSON text, one item a line."""
    tables = []
    for name, value in rules.to_json().items():
        shown = _one_a_line(value) if value and not isinstance(value, str) else None
        tables.append(f" {json.dumps(name)}: {shown or json.dumps(value)}")
    return "{\n" + ",\n".join(tables) + "\n}\n"


def read_rules(text: str) -> Rules:
    """The rules of a JSON text."""
    return Rules.from_json(json.loads(text))


def _one_a_line(table: Any) -> str:
    if isinstance(table, dict):
        items = [f"{json.dumps(key)}: {json.dumps(table[key])}" for key in table]
        begin, end = "{", "}"
    else:
        items = [json.dumps(item) for item in table]
        begin, end = "[", "]"
    return begin + "\n  " + ",\n  ".join(items) + "\n " + end


def seconds(iso: str) -> int:
    """Epoch seconds of an ISO date or instant; a date is its midnight, UTC."""
    moment = datetime.fromisoformat(iso)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def iso(epoch_s: int) -> str:
    """The shortest ISO text of epoch seconds: a date where it is a midnight."""
    moment = datetime.fromtimestamp(epoch_s, UTC)
    shown = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return shown.removesuffix("T00:00:00Z")


def _rate_line(row: RateRow) -> str:
    above = (
        f">{bound} {_shown(rates)}"
        for bound, rates in zip(row.thresholds, row.levels[1:], strict=True)
    )
    return "\t".join(
        (
            row.provider,
            row.model,
            _CTX_NAMES[Ctx(row.ctx)],
            str(row.slot),
            iso(row.valid_from) if row.valid_from else "",
            iso(row.valid_to) if row.valid_to != OPEN_END else "",
            " | ".join((_shown(row.levels[0]), *above)),
            row.kind.value,
            row.currency,
            row.origin.value,
            " ".join(row.notes),
            row.checked_on,
            row.source,
        )
    )


def _shown(rates: Level) -> str:
    return " ".join("-" if rate is None else usd_per_mtok(rate) for rate in rates)


def _level(text: str) -> Level:
    rates = tuple(
        None if part == "-" else femto_per_token(Decimal(part))
        for part in text.split(" ")
    )
    if len(rates) != len(RATE_NAMES):
        raise ValueError(f"a level needs {len(RATE_NAMES)} rates, got: {text!r}")
    return rates
