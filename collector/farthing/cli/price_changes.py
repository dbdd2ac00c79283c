"""What prices differ between two price books: per model, period and bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from farthing.economics.prices.catalogue import Catalogue
from farthing.economics.prices.explain import diff
from farthing.economics.prices.levels import usd_per_mtok
from farthing.economics.prices.packaged import iso
from farthing.economics.prices.rates import OPEN_END, RATE_NAMES, Ctx, RateKey, RateRow


@dataclass(frozen=True)
class RateChange:
    """One bucket's price, USD per million tokens; None where there is none.

    `above_input_tokens` is 0 but for long contexts; `percent` is None where it cannot
    be told.
    """

    bucket: str
    above_input_tokens: int
    before: str | None
    after: str | None
    percent: str | None

    def told(self) -> str:
        """The change in words."""
        above = f" > {self.above_input_tokens:,}" if self.above_input_tokens else ""
        by = f" ({self.percent} %)" if self.percent else ""
        change = f"{self.before or 'none'} to {self.after or 'none'}"
        return f"{self.bucket.replace('_', ' ')}{above} {change}{by}"


@dataclass(frozen=True)
class Change:
    """A period in which two books price a model differently.

    `change` is `new`, `gone` or `changed`; `valid_from` and `valid_to` are ISO dates or
    times, "" where open.
    """

    provider: str
    model: str
    served_as: str
    valid_from: str
    valid_to: str
    change: str
    kind_before: str
    kind_after: str
    rates: tuple[RateChange, ...]

    def told(self) -> str:
        """The change in words."""
        kinds = ""
        if self.change == "changed" and self.kind_before != self.kind_after:
            kinds = f"{self.kind_before} to {self.kind_after}; "
        head = "" if self.change == "changed" else f"{self.change}: "
        return head + kinds + ", ".join(rate.told() for rate in self.rates)


def changes(before: Catalogue, after: Catalogue) -> list[Change]:
    """Every period in which a price differs, sorted by model and time.

    Rows are compared at the same instant: one that only begins or ends elsewhere, or
    has another source, is no change of a price.
    """
    keys = dict.fromkeys(change.key for change in diff(before, after))
    return [found for key in keys for found in _changes_of(key, before, after)]


def _changes_of(key: RateKey, before: Catalogue, after: Catalogue) -> Iterator[Change]:
    rows = (*before.rows(key), *after.rows(key))
    bounds = sorted({bound for row in rows for bound in (row.valid_from, row.valid_to)})
    for begins, ends in pairwise(bounds):
        old, new = before.row(key, begins), after.row(key, begins)
        if _prices(old) != _prices(new):
            yield _change(key, begins, ends, old, new)


def _prices(row: RateRow | None) -> object:
    return row and (row.thresholds, row.levels, row.kind)


def _change(
    key: RateKey, begins: int, ends: int, old: RateRow | None, new: RateRow | None
) -> Change:
    served = Ctx(key.ctx).name.lower() + (f" slot {key.slot}" if key.slot else "")
    return Change(
        provider=key.provider,
        model=key.model,
        served_as=served,
        valid_from=iso(begins) if begins else "",
        valid_to=iso(ends) if ends != OPEN_END else "",
        change="new" if old is None else "gone" if new is None else "changed",
        kind_before=old.kind.value if old else "",
        kind_after=new.kind.value if new else "",
        rates=tuple(_rate_changes(old, new)),
    )


def _rate_changes(old: RateRow | None, new: RateRow | None) -> Iterator[RateChange]:
    bounds = {0} | {bound for row in (old, new) if row for bound in row.thresholds}
    for above in sorted(bounds):
        for index, bucket in enumerate(RATE_NAMES):
            was, is_now = _rate(old, above, index), _rate(new, above, index)
            if was != is_now:
                yield RateChange(
                    bucket, above, _shown(was), _shown(is_now), _percent(was, is_now)
                )


def _rate(row: RateRow | None, above: int, index: int) -> int | None:
    """The rate of a bucket for a call with more input tokens than `above`."""
    if row is None:
        return None
    passed = sum(above >= bound for bound in row.thresholds)
    return row.levels[passed][index]


def _shown(rate: int | None) -> str | None:
    return None if rate is None else usd_per_mtok(rate)


def _percent(was: int | None, is_now: int | None) -> str | None:
    if not was or is_now is None:
        return None
    change = (Decimal(is_now) / Decimal(was) - 1) * 100
    return f"{change.quantize(Decimal('0.1')).normalize():+f}"
