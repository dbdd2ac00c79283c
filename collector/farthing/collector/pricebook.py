"""The price book's files: compiled from genai-prices, and read from operators' YAML.

Only the collector imports this module: genai-prices and YAML stay out of agents.
`python -m farthing.collector.pricebook` compiles the packaged catalogue anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from farthing.economics.prices.catalogue import DATA_DIR, Catalogue
from farthing.economics.prices.compile import (
    BaseModel,
    Compiled,
    compile_catalogue,
)
from farthing.economics.prices.entries import Entry
from farthing.economics.prices.levels import level
from farthing.economics.prices.overlay import Overlay, read_overlay
from farthing.economics.prices.packaged import (
    MODELS_FILE,
    RATES_FILE,
    RULES_FILE,
    write_models,
    write_rates,
    write_rules,
)
from farthing.economics.prices.rates import (
    FEMTO_PER_USD,
    OPEN_END,
    Ctx,
    RateRow,
    ToolFee,
)
from farthing.economics.prices.resellers import Reseller
from farthing.economics.prices.userfile import with_user_prices
from farthing.errors import ConfigError, not_yaml

REFRESH = "python -m farthing.collector.pricebook"
OVERLAY_FILE = DATA_DIR / "overlay.yaml"
BASE_VERSION = "0.2.3"
BASE_CHECKED_ON = "2026-11-15"
"""The release day of this genai-prices: when its prices were last checked."""

_PRICE_KEYS = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "output_audio_mtok": "output_audio",
}
_FEE_KEYS = {
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
    "requests_kcount": "request",
}
_VARIANTS = {
    ("processing", "batch"): Ctx.BATCH,
    ("service_tier", "flex"): Ctx.FLEX,
    ("service_tier", "priority"): Ctx.PRIORITY,
    ("service_tier", "fast"): Ctx.FAST_TIER,
    ("speed", "fast"): Ctx.FAST_SPEED,
}
_CUT_SHORT = re.compile(r"(?:-20[0-9]{2})?[-@]?$")
"""What a loose clause cuts a dated id at: `claude-sonnet-4-2025`, `claude-opus-5@`."""
_LITERAL = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^a-zA-Z0-9])*")
_ESCAPED = re.compile(r"\\(.)")
_REVISION = re.compile(r"^(.+)(-v[0-9]+):[0-9]+$")


# --- the base -----------------------------------------------------------------------


def read_base(overlay: Overlay) -> list[BaseModel]:
    """Every model of the installed genai-prices in the compiler's neutral form."""
    from genai_prices.data import providers

    return [
        _base_model(provider, model, overlay)
        for provider in providers
        for model in provider.models
        if not model.id.endswith(":free") and ".ft-" not in model.id
    ]


def read_resellers(base: Iterable[BaseModel]) -> list[Reseller]:
    """Providers that sell others' models, from the base's fallbacks."""
    from genai_prices.data import providers

    models = list(base)
    made = []
    for provider in providers:
        makers = tuple(provider.fallback_model_providers or ())
        claims = {
            name: _name(own)
            for model in models
            if model.provider in makers
            for name in model.ids
            if (own := provider.find_model(name)) is not None
        }
        if makers:
            made.append(Reseller(provider.id, makers, claims))
    return made


def _base_model(provider: Any, model: Any, overlay: Overlay) -> BaseModel:
    name = _name(model)
    return BaseModel(
        provider=provider.id,
        model=name,
        ids=tuple(dict.fromkeys(_ids(provider, model))),
        rows=tuple(_rows(provider.id, name, model, overlay)),
        fees=tuple(_fees(provider.id, name, model)),
        timed=any(isinstance(start, time) for start in _starts(model.prices)),
    )


def _rows(provider: str, name: str, model: Any, overlay: Overlay) -> Iterator[RateRow]:
    as_text = provider in overlay.audio_as_text
    contexts: list[tuple[Ctx, dict[str, str] | None]] = [(Ctx.STANDARD, None)]
    contexts += [(ctx, dict([when])) for when, ctx in _VARIANTS.items()]
    for ctx, when in contexts:
        variants = [v for v in model.price_variants or () if v.when == when]
        if when is not None and not variants:
            continue
        for begins, ends in _periods([*_starts(model.prices), *_starts(variants)]):
            moment = datetime.fromtimestamp(begins, UTC)
            if when is not None and not any(_active(v, moment) for v in variants):
                continue
            made = _levels(model.get_prices(moment, when), audio_as_text=as_text)
            if made is not None:
                yield RateRow(provider, name, int(ctx), 0, begins, ends, *made)


def _periods(starts: Iterable[date | time]) -> Iterator[tuple[int, int]]:
    bounds = {0} | {
        int(datetime.combine(start, time(), UTC).timestamp())
        for start in starts
        if isinstance(start, date)
    }
    ordered = [*sorted(bounds), OPEN_END]
    yield from pairwise(ordered)


def _starts(prices: Any) -> list[date | time]:
    """When the conditions of a price list begin: days, or times of the day."""
    found: list[date | time] = []
    for item in prices if isinstance(prices, list) else []:
        constraint = item.constraint
        if constraint is not None:
            begins = getattr(constraint, "start_date", None)
            found.append(begins if begins is not None else constraint.start_time)
    return found


def _active(variant: Any, moment: datetime) -> bool:
    return variant.constraint is None or variant.constraint.active(moment)


def _levels(
    prices: Any, *, audio_as_text: bool
) -> tuple[tuple[int, ...], tuple[Any, ...]] | None:
    """Thresholds and levels of a price set; None if it holds no token price."""
    own = {
        _PRICE_KEYS[key]: value
        for key, value in vars(prices).items()
        if value is not None and key in _PRICE_KEYS
    }
    if not own:
        return None
    if "output" in own and prices.output_image_mtok is not None:
        # No emitter tells pictures from text in the output: only reasoning is text.
        own["reasoning"] = own.pop("output")
    bounds = {tier.start for v in own.values() for tier in getattr(v, "tiers", ())}
    thresholds = tuple(sorted(bounds))
    return thresholds, tuple(
        level(
            {name: _price_above(value, bound) for name, value in own.items()},
            audio_as_text=audio_as_text,
        )
        for bound in (-1, *thresholds)
    )


def _price_above(value: Any, bound: int) -> Decimal:
    """A price once the total input is over `bound`."""
    price = getattr(value, "base", value)
    for tier in getattr(value, "tiers", ()):
        if tier.start <= bound:
            price = tier.price
    return Decimal(price)


def _fees(provider: str, name: str, model: Any) -> Iterator[ToolFee]:
    for begins, ends in _periods(_starts(model.prices)):
        prices = model.get_prices(datetime.fromtimestamp(begins, UTC))
        for key, tool in _FEE_KEYS.items():
            value = getattr(prices, key)
            if value is not None:
                femto = int(value * FEMTO_PER_USD / 1000)
                yield ToolFee(
                    provider, name, tool, begins, ends, femto, "", BASE_CHECKED_ON
                )


# --- ids of the base ----------------------------------------------------------------


def _ids(provider: Any, model: Any) -> Iterator[str]:
    """The ids that mean a model: its own and those of its clauses."""
    own = _name(model).removeprefix("regional.")
    listed = list(_listed(model.match))
    if provider.id == "aws" or model.match.is_match(own):
        listed.insert(0, own)
    for text in map(str.lower, listed):
        if text.startswith("ft:") and not own.startswith("ft:"):
            continue
        yield text
        revision = _REVISION.match(text)
        if provider.id == "aws" and revision:
            yield revision[1] + revision[2]
            if model.match.is_match(revision[1]):
                yield revision[1]


def _listed(clause: Any) -> Iterator[str]:
    """The ids that a clause names; of a loose one its stem, of a pattern nothing."""
    for kind, value in vars(clause).items():
        if kind in ("or_", "and_"):
            for inner in value:
                yield from _listed(inner)
        elif kind == "regex":
            body = value.removeprefix("^").removesuffix("$")
            if _LITERAL.fullmatch(body):
                yield _ESCAPED.sub(r"\1", body)
        elif kind == "equals":
            yield value
        else:
            yield _CUT_SHORT.sub("", value).lstrip("/")


def _name(model: Any) -> str:
    return str(model.id).lower().rstrip("-")


# --- files --------------------------------------------------------------------------


def load_overlay(path: Path = OVERLAY_FILE) -> Overlay:
    """The overlay as checked data; raises ConfigError with every problem."""
    return read_overlay(read_yaml(path), file=path.name)


def compiled(overlay_file: Path = OVERLAY_FILE) -> Compiled:
    """The catalogue from the installed genai-prices and an overlay.

    Raises ConfigError for an overlay that is wrong, ValueError for one that does not
    fit this genai-prices.
    """
    from genai_prices.data import providers

    overlay = load_overlay(overlay_file)
    base = read_base(overlay)
    installed = version("genai-prices")
    return compile_catalogue(
        base,
        overlay,
        resellers=read_resellers(base),
        base_name=f"genai-prices {installed}",
        base_checked_on=BASE_CHECKED_ON if installed == BASE_VERSION else "",
        sources={p.id: (p.pricing_urls or [""])[0] for p in providers},
    )


def catalogue_texts(overlay_file: Path = OVERLAY_FILE) -> dict[str, str]:
    """The files of a fresh compile, by name. Raises as `compiled` does."""
    made = compiled(overlay_file)
    return {
        RATES_FILE: write_rates(made.rows),
        MODELS_FILE: write_models(made.models),
        RULES_FILE: write_rules(made.rules),
    }


def write_catalogue(
    directory: Path = DATA_DIR, overlay_file: Path = OVERLAY_FILE
) -> dict[str, bool]:
    """Write the files of a fresh compile; tells of each whether it changed.

    Each file is replaced whole: who reads it meanwhile reads the old one or the new.
    """
    changed = {}
    for name, text in catalogue_texts(overlay_file).items():
        path = directory / name
        changed[name] = not path.exists() or path.read_text() != text
        written = path.with_name(f".{name}.new")
        written.write_text(text)
        written.replace(path)
    return changed


def load_user_prices(path: Path, catalogue: Catalogue) -> Catalogue:
    """A catalogue in which an operator's price file wins; see docs/prices.md.

    Raises ConfigError that lists every problem of the file at once.
    """
    return with_user_prices(catalogue, read_yaml(path), file=str(path))


class _TextLoader(yaml.BaseLoader):
    """YAML in which every scalar is text and every mapping knows its line."""


def _mapping(loader: _TextLoader, node: yaml.MappingNode) -> Entry:
    pairs = loader.construct_mapping(node, deep=True)
    entry = Entry({str(key): value for key, value in pairs.items()})
    entry.line = node.start_mark.line + 1
    names = [key.value for key, _ in node.value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise yaml.constructor.ConstructorError(
            None, None, f"key {twice[0]!r} is given twice", node.start_mark
        )
    return entry


_TextLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> Entry:
    """A YAML (or JSON) file as mappings, lists and texts; ConfigError if it is not."""
    try:
        data = yaml.load(path.read_text(), Loader=_TextLoader)  # noqa: S506
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise not_yaml(path, error) from error
    if not isinstance(data, Entry):
        raise ConfigError(f"{path}: must be a mapping such as 'prices: [...]'")
    return data


if __name__ == "__main__":
    for file_name, is_new in write_catalogue().items():
        sys.stdout.write(f"{'changed' if is_new else 'same   '}  {file_name}\n")
