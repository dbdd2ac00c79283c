"""An operator's price file: what only they know, and what then wins.

prices:        negotiated prices, in the form of the overlay's entries
discounts:     percent off a provider's or a model's list price
free:          local models, by provider and optionally model
flat_rate:     models that a subscription covers
models:        names of deployments, inference profiles and fine-tunes
hosts:         servers that speak OpenAI's protocol
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.entries import (
    Problems,
    Reader,
    mappings,
    overlaps,
    read_row,
)
from farthing.economics.prices.levels import scaled
from farthing.economics.prices.rates import (
    OPEN_END,
    RATE_NAMES,
    Ctx,
    Kind,
    ModelId,
    Origin,
    RateKey,
    RateRow,
)
from farthing.economics.prices.resolver import ANY_MODEL, fold, normalise
from farthing.economics.prices.rules import Rules
from farthing.errors import ConfigError

SECTIONS = ("prices", "discounts", "free", "flat_rate", "models", "hosts")


@dataclass
class _Additions:
    """What a user's file adds to a catalogue, gathered section by section."""

    rules: Rules
    rows: list[RateRow] = field(default_factory=list)
    models: list[ModelId] = field(default_factory=list)

    def provider(self, name: str) -> str:
        """Our id of a provider; a new name becomes a provider of the user's own."""
        known = self.rules.provider_aliases.get(name)
        if known is not None:
            return known
        aliases = {**self.rules.provider_aliases, name: name}
        self.rules = replace(self.rules, provider_aliases=aliases)
        return name

    def model(self, provider: str, name: str, model: str) -> None:
        wanted = normalise(self.rules, provider, fold(name))
        self.models.append(ModelId(provider, wanted, model, "user", dated_ok=False))


def with_user_prices(
    catalogue: Catalogue, data: Mapping[str, Any], *, file: str
) -> Catalogue:
    """A catalogue in which the user's file wins over the packaged prices.

    `data` holds texts, lists and mappings. Raises ConfigError that lists every
    problem with its place and what to do about it.
    """
    problems = Problems(file)
    for key in sorted(set(data) - set(SECTIONS)):
        problems.add(key, f"unknown section; the sections are {', '.join(SECTIONS)}")
    added = _Additions(catalogue.rules)
    _hosts(data, added, problems)
    _discounts(data, catalogue, added, problems)
    _prices(data, added, problems)
    _covered(data, "free", catalogue, added, problems)
    _covered(data, "flat_rate", catalogue, added, problems)
    _models(data, catalogue, added, problems)
    if problems.found:
        raise ConfigError("\n".join(problems.found))
    content = json.dumps(data, sort_keys=True)
    digest = hashlib.sha256(f"{catalogue.sha256}\0{content}".encode())
    return catalogue.extended(
        rows=added.rows,
        models=added.models,
        rules=added.rules,
        sha256=digest.hexdigest(),
    )


def _prices(data: Mapping[str, Any], added: _Additions, problems: Problems) -> None:
    rows = []
    for reader in mappings(data, "prices", problems):
        _dated(reader)
        row = read_row(
            reader,
            origin=Origin.USER,
            audio_as_text=added.rules.audio_as_text,
            sourced=False,
        )
        if row is not None:
            own = replace(row, provider=added.provider(row.provider))
            rows.append(own)
            added.model(own.provider, own.model, own.model)
    overlaps(rows, problems)
    added.rows.extend(rows)


def _discounts(
    data: Mapping[str, Any],
    catalogue: Catalogue,
    added: _Additions,
    problems: Problems,
) -> None:
    """A model's own discount wins over its provider's, in whatever order they stand."""
    readers = mappings(data, "discounts", problems)
    for reader in sorted(readers, key=lambda reader: bool(reader.values.get("model"))):
        reader.keys({"provider", "model", "percent", "from", "to", "source", "note"})
        provider = added.provider(reader.name("provider"))
        percent = reader.number("percent", reader.values.get("percent"))
        if percent is not None and percent > 100:
            reader.complain(f"'percent' is what comes off, 100 at most: {percent}")
            continue
        _dated(reader)
        begins, ends = _period(reader)
        rows = _listed(catalogue, reader, provider)
        if percent is None or not rows:
            continue
        factor = 1 - Fraction(Decimal(percent)) / 100
        for row in rows:
            span = max(row.valid_from, begins), min(row.valid_to, ends)
            if span[0] < span[1]:
                added.rows.append(
                    replace(
                        row.between(*span),
                        origin=Origin.USER,
                        source=reader.text("source", required=False)
                        or f"{percent}% off: {row.source}",
                        levels=tuple(
                            scaled(rates, factor.numerator, factor.denominator)
                            for rates in row.levels
                        ),
                    )
                )


def _covered(
    data: Mapping[str, Any],
    section: str,
    catalogue: Catalogue,
    added: _Additions,
    problems: Problems,
) -> None:
    """Free models, and models under a subscription (which keep their list price)."""
    kind = Kind.FREE if section == "free" else Kind.FLAT_RATE
    for reader in mappings(data, section, problems):
        reader.keys({"provider", "model", "from", "to", "source", "note"})
        provider = added.provider(reader.name("provider"))
        if kind is Kind.FLAT_RATE:
            _dated(reader)
        begins, ends = _period(reader)
        source = reader.text("source", required=False)
        model = reader.name("model", required=False)
        listed = [] if kind is Kind.FREE else _rows_of(catalogue, provider, model)
        spans = [
            replace(
                row.between(max(row.valid_from, begins), min(row.valid_to, ends)),
                kind=kind,
                origin=Origin.USER,
                source=source or row.source,
            )
            for row in listed
            if max(row.valid_from, begins) < min(row.valid_to, ends)
        ]
        if spans:
            added.rows.extend(spans)
            continue
        target = catalogue.resolve(provider, "", model).model or model or ANY_MODEL
        added.rows.append(_zero(provider, target, begins, ends, kind, source))
        added.model(provider, model or ANY_MODEL, target)
        if not model:
            added.rows.extend(
                _zero(provider, name, begins, ends, kind, source)
                for name in _model_names(catalogue, provider)
            )


def _models(
    data: Mapping[str, Any],
    catalogue: Catalogue,
    added: _Additions,
    problems: Problems,
) -> None:
    """Names of the user's own for models of ours."""
    own = {(row.provider, row.model) for row in added.rows}
    for reader in mappings(data, "models", problems):
        reader.keys({"provider", "name", "is", "of", "note"})
        provider = added.provider(reader.name("provider"))
        wanted = reader.name("is")
        maker = added.provider(reader.name("of", required=False) or provider)
        found = catalogue.resolve(maker, "", wanted).model
        if not found and (maker, wanted) in own:
            found = wanted
        if not found:
            reader.complain(
                f"'is' names a model that is not in the price book: {maker}/{wanted}; "
                "see 'farthing prices lookup', or give it a price under 'prices'"
            )
            continue
        added.model(provider, reader.text("name"), found)
        if maker != provider:
            added.rows.extend(
                replace(row, provider=provider, origin=Origin.USER)
                for row in _rows_of(catalogue, maker, found)
            )


def _hosts(data: Mapping[str, Any], added: _Additions, problems: Problems) -> None:
    for reader in mappings(data, "hosts", problems):
        reader.keys({"host", "provider", "note"})
        host = reader.name("host")
        if "/" in host or ":" in host:
            reader.complain(f"'host' is a name without scheme, port and path: {host!r}")
            continue
        provider = added.provider(reader.name("provider"))
        hosts = {**added.rules.hosts, host: provider}
        added.rules = replace(added.rules, hosts=hosts)


def _dated(reader: Reader) -> None:
    """What was agreed on a day must not re-price the calls before it."""
    if not reader.values.get("from"):
        reader.complain("'from' is missing; give the first day, such as 2026-01-31")


def _period(reader: Reader) -> tuple[int, int]:
    begins = reader.instant("from", default=0)
    ends = reader.instant("to", default=OPEN_END)
    if ends <= begins:
        reader.complain("'to' must be later than 'from'")
    return begins, ends


def _listed(catalogue: Catalogue, reader: Reader, provider: str) -> list[RateRow]:
    model = reader.name("model", required=False)
    rows = _rows_of(catalogue, provider, model)
    if not rows:
        reader.complain(
            f"the price book has no prices of {provider}/{model or ANY_MODEL} to take "
            "a discount from; check the names with 'farthing prices lookup'"
        )
    return rows


def _rows_of(catalogue: Catalogue, provider: str, model: str) -> list[RateRow]:
    """The packaged rows of a model by any of its names, or of a whole provider."""
    name = catalogue.resolve(provider, "", model).model if model else ""
    if model and not name:
        return []
    return [
        row
        for key in catalogue.rate_keys()
        if key.provider == provider and (not name or key.model == name)
        for row in catalogue.rows(key)
    ]


def _model_names(catalogue: Catalogue, provider: str) -> Iterable[str]:
    return sorted(
        {model.model for key, model in catalogue.models.items() if key[0] == provider}
    )


def _zero(
    provider: str, model: str, begins: int, ends: int, kind: Kind, source: str
) -> RateRow:
    key = RateKey(provider, model, int(Ctx.STANDARD), 0)
    rates = ((0,) * len(RATE_NAMES),)
    return RateRow(
        *key, begins, ends, (), rates, kind=kind, origin=Origin.USER, source=source
    )
