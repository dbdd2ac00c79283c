"""The catalogue as table rows, for engines that price in SQL.

Each function yields tuples in the order of the column list beside it. Times are epoch
seconds, UTC; `valid_to` is the last second of validity, because a ClickHouse range
dictionary includes both ends. Rates are femto-USD per token, -1 where a bucket has
none. The rules that SQL needs beside the tables are in `docs/prices.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.rates import ABSENT, MAX_LEVELS, Level, RateRow

Row = tuple[Any, ...]

PRICE_COLUMNS = (
    "provider",
    "model",
    "ctx",
    "slot",
    "valid_from",
    "valid_to",
    "row_id",
    "thresholds",
    "level0",
    "level1",
    "level2",
    "level3",
    "kind",
    "currency",
    "origin",
    "source",
    "checked_on",
    "notes",
)
MODEL_COLUMNS = ("provider", "id", "model", "match_kind", "dated_ok")
PROVIDER_ALIAS_COLUMNS = ("alias", "provider")
HOST_COLUMNS = ("suffix", "provider")
NORMALISATION_COLUMNS = (
    "position",
    "provider",
    "pattern",
    "replacement",
    "keyed_pattern",
    "keyed_replacement",
)
REGION_COLUMNS = ("position", "provider", "pattern")
UNMAPPED_COLUMNS = ("position", "provider", "pattern")
TIER_COLUMNS = ("field", "word", "ctx", "assumed")
MULTIPLIER_COLUMNS = (
    "position",
    "provider",
    "place",
    "model",
    "valid_from",
    "valid_to",
    "numerator",
    "denominator",
    "label",
    "source",
    "checked_on",
)
TOOL_FEE_COLUMNS = (
    "provider",
    "model",
    "tool",
    "valid_from",
    "valid_to",
    "femto_usd",
    "source",
    "checked_on",
)
SLOT_WINDOW_COLUMNS = (
    "position",
    "provider",
    "model",
    "slot",
    "valid_from",
    "valid_to",
    "start_s",
    "end_s",
    "weekdays",
    "utc_offset_s",
    "calendar",
)
HOLIDAY_COLUMNS = ("calendar", "day")


def price_table_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Every rate row. A level that a row lacks repeats the one below it."""
    for row in catalogue:
        levels = [_exported(rates) for rates in row.levels]
        levels += [levels[-1]] * (MAX_LEVELS - len(levels))
        yield (
            row.provider,
            row.model,
            row.ctx,
            row.slot,
            row.valid_from,
            row.valid_to - 1,
            row.row_id,
            list(row.thresholds),
            *levels,
            row.kind.value,
            row.currency,
            row.origin.value,
            source_of(row, catalogue),
            row.checked_on or catalogue.rules.base_checked_on,
            [note.value for note in row.notes],
        )


def model_table_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Every id that resolves; the id `*` stands for a user's whole provider."""
    for (provider, name), found in sorted(catalogue.models.items()):
        yield (provider, name, found.model, found.kind, found.dated_ok)


def provider_alias_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Every word for a provider, in lower case, and our id of it."""
    yield from sorted(catalogue.rules.provider_aliases.items())


def host_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Host suffixes, the longest first: the first that matches decides."""
    yield from sorted(
        catalogue.rules.hosts.items(), key=lambda item: (-len(item[0]), item[0])
    )


def normalisation_rows(catalogue: Catalogue) -> Iterator[Row]:
    """The replacements of a provider's model references, in order, once each.

    The keyed pair does the same to `provider:reference`, so that SQL nests one call
    per row; a condition on the provider would double the expression at each step.
    """
    for position, row in enumerate(catalogue.rules.normalisations):
        provider, pattern, replacement = row
        keyed = f"^{provider}:{pattern.removeprefix('^')}"
        yield (position, *row, keyed, f"{provider}:{replacement}")


def region_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Patterns whose group 1 is the region that a model reference names."""
    for position, row in enumerate(catalogue.rules.regions):
        yield (position, *row)


def unmapped_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Patterns of references that are a customer's own names."""
    for position, row in enumerate(catalogue.rules.unmapped):
        yield (position, *row)


def tier_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Words of `service_tier` and `speed`, the context each means, and whether the
    word only lets it be assumed."""
    rules = catalogue.rules
    for word, ctx in rules.tiers.items():
        yield ("service_tier", word, ctx, word in rules.unserved_tiers)
    for word, ctx in rules.speeds.items():
        yield ("speed", word, ctx, False)


def multiplier_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Factors of geographies, in order: the first that matches decides."""
    for position, row in enumerate(catalogue.rules.multipliers):
        yield (
            position,
            row.provider,
            row.place,
            row.model,
            row.valid_from,
            row.valid_to - 1,
            row.numerator,
            row.denominator,
            row.label,
            row.source,
            row.checked_on,
        )


def tool_fee_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Fees per use; the model "" is its provider's default."""
    for fee in catalogue.rules.tool_fees:
        yield (
            fee.provider,
            fee.model,
            fee.tool,
            fee.valid_from,
            fee.valid_to - 1,
            fee.femto_usd,
            fee.source or catalogue.rules.base,
            fee.checked_on,
        )


def slot_window_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Time-of-day windows, in order: the first that holds gives the slot, else 0."""
    for position, row in enumerate(catalogue.rules.windows):
        yield (
            position,
            row.provider,
            row.model,
            row.slot,
            row.valid_from,
            row.valid_to - 1,
            row.start_s,
            row.end_s,
            list(row.weekdays),
            row.utc_offset_s,
            row.calendar,
        )


def holiday_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Days off by calendar, as ISO dates of the calendar's own time zone."""
    for calendar, days in sorted(catalogue.rules.calendars.items()):
        for day in days:
            yield (calendar, day)


def source_of(row: RateRow, catalogue: Catalogue) -> str:
    """Where a row's price comes from; for the base, its page and the catalogue."""
    if row.source:
        return row.source
    page = catalogue.rules.sources.get(row.provider, "")
    return f"{catalogue.rules.base}: {page}" if page else catalogue.rules.base


def _exported(rates: Level) -> list[int]:
    return [ABSENT if rate is None else rate for rate in rates]
