"""A catalogue: the rows, the ids and the rules that price a call, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from farthing.economics.prices.levels import lay_over
from farthing.economics.prices.packaged import (
    MODELS_FILE,
    RATES_FILE,
    RULES_FILE,
    index_rates,
    read_models,
    read_rate,
    read_rules,
)
from farthing.economics.prices.rates import ModelId, RateKey, RateRow
from farthing.economics.prices.resolver import Resolution, resolve
from farthing.economics.prices.rules import Rules

DATA_DIR = Path(__file__).parent / "data"
_MOST_CACHED = 20_000


class Catalogue:
    """Prices at every instant, immutable. Rows are parsed when first asked for.

    `sha256` names the content: two catalogues with the same hash price alike.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        models: Mapping[tuple[str, str], ModelId],
        rates: Mapping[RateKey, list[str] | tuple[RateRow, ...]],
        sha256: str,
    ) -> None:
        self.rules = rules
        self.models = models
        self.sha256 = sha256
        self._rates = dict(rates)
        self._resolved: dict[tuple[str, str, str], Resolution] = {}

    def resolve(self, provider: str, host: str, ref: str) -> Resolution:
        """The model of a reference; hits and misses are remembered."""
        asked = (provider, host, ref)
        found = self._resolved.get(asked)
        if found is None:
            if len(self._resolved) >= _MOST_CACHED:
                self._resolved.clear()
            found = resolve(
                self.rules, self.models, provider=provider, host=host, ref=ref
            )
            self._resolved[asked] = found
        return found

    def rows(self, key: RateKey) -> tuple[RateRow, ...]:
        """The price history of one key, oldest first; empty if there is none."""
        held = self._rates.get(key)
        if held is None:
            return ()
        if isinstance(held, list):
            held = tuple(read_rate(line) for line in held)
            self._rates[key] = held
        return held

    def row(self, key: RateKey, at_s: int) -> RateRow | None:
        """The row in force at an instant, or None."""
        for row in self.rows(key):
            if row.valid_from <= at_s < row.valid_to:
                return row
        return None

    def rate_keys(self) -> Iterable[RateKey]:
        """The keys that have rows, in no order."""
        return self._rates.keys()

    def __iter__(self) -> Iterator[RateRow]:
        for key in sorted(self._rates):
            yield from self.rows(key)

    def extended(
        self,
        *,
        rows: Iterable[RateRow] = (),
        models: Iterable[ModelId] = (),
        rules: Rules | None = None,
        sha256: str,
    ) -> Catalogue:
        """A further catalogue in which the given rows and ids win over these."""
        rates: dict[RateKey, list[str] | tuple[RateRow, ...]] = dict(self._rates)
        for row in rows:
            held = rates.get(row.key, ())
            if isinstance(held, list):
                held = self.rows(row.key)
            rates[row.key] = tuple(lay_over(list(held), row))
        ids = dict(self.models)
        ids.update({(model.provider, model.id): model for model in models})
        return Catalogue(
            rules=rules or self.rules, models=ids, rates=rates, sha256=sha256
        )


@cache
def load_catalogue(directory: Path = DATA_DIR) -> Catalogue:
    """The packaged catalogue, read once per process, by the standard library alone."""
    texts = [
        (directory / name).read_bytes()
        for name in (RATES_FILE, MODELS_FILE, RULES_FILE)
    ]
    return catalogue_of_texts(*(text.decode() for text in texts))


def catalogue_of_texts(rates: str, models: str, rules: str) -> Catalogue:
    """A catalogue from the texts of its three files."""
    digest = hashlib.sha256("\0".join((rates, models, rules)).encode())
    return Catalogue(
        rules=read_rules(rules),
        models=read_models(models),
        rates=index_rates(rates),
        sha256=digest.hexdigest(),
    )
