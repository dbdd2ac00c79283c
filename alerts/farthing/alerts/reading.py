"""What a rule's query says of one subject at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from farthing.alerts.rule import Rule
from farthing.errors import FarthingError

LABELS: Final = (
    "run_id",
    "task_type",
    "business_unit",
    "team",
    "user",
    "agent",
    "service",
    "environment",
    "provider",
    "model",
    "step",
    "kind",
    "budget",
    "window",
    "action",
    "part",
)
"""Columns that become labels of the alert, where they are not empty."""


class BadRow(FarthingError):
    """A rule's query returns what is no reading; the message says which column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One row of a rule's query.

    Columns that must be there are `subject`, `value` and `threshold`; amounts are
    Decimal. What is NULL is not known.

    Attributes:
        subject: Its identity within the rule: one open incident each.
        shown: What people call it; the subject where the query has no such column.
        value: Above or at `threshold` is wrong. `clear` is where it is right again:
            the rule's share of the threshold, or the column.
        level: How bad, from 0: each further level escalates.
        samples: How much the judgement stands on; compared with `min_samples`.
        closing: Why the subject is over and done with; empty while it goes on.
        is_last_word: Whether nothing is known but that (`value` is NULL): what was said
            of it before stays.
        values: All columns, for the templates.
    """

    subject: str
    shown: str
    value: Decimal
    threshold: Decimal
    clear: Decimal
    level: int = 0
    samples: int | None = None
    closing: str = ""
    is_last_word: bool = False
    since: datetime | None = None
    cost_usd: Decimal | None = None
    burn_usd_per_hour: Decimal | None = None
    lower_bound: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def is_breach(self, min_samples: int) -> bool:
        """Whether it is wrong, on enough ground to say so."""
        enough = self.samples is None or self.samples >= min_samples
        return enough and not self.closing and self.value >= self.threshold

    @property
    def is_clear(self) -> bool:
        """Whether it is right again, or over."""
        return bool(self.closing) or self.value < self.clear


def reading(rule: Rule, row: Mapping[str, Any]) -> Reading:
    """The reading in a row. Raises BadRow."""
    is_last_word = bool(row.get("closing")) and row.get("value", 0) is None
    if is_last_word:
        row = {**row, "value": 0, "threshold": 0}
    try:
        threshold = _amount(row["threshold"])
        clear = _maybe_amount(row.get("clear"))
        value = _amount(row["value"])
        subject = str(row["subject"])
        told = Reading(
            subject=subject,
            shown=str(row.get("shown") or subject),
            value=value,
            threshold=threshold,
            clear=threshold * rule.clear if clear is None else clear,
            level=int(row.get("level") or 0),
            samples=None if row.get("samples") is None else int(row["samples"]),
            closing=str(row.get("closing") or ""),
            is_last_word=is_last_word,
            since=_time(row.get("since")),
            cost_usd=_maybe_amount(row.get("cost_usd")),
            burn_usd_per_hour=_maybe_amount(row.get("burn_usd_per_hour")),
            lower_bound=bool(row.get("lower_bound")),
            labels={name: str(row[name]) for name in LABELS if row.get(name)},
            values={"rule": rule.name, **rule.parameters, **row},
        )
    except KeyError as error:
        raise BadRow(f"the query of rule {rule.name!r} has no column {error}") from None
    except (ArithmeticError, ValueError, TypeError) as error:
        raise BadRow(f"rule {rule.name!r}: a row cannot be read: {error}") from None
    return told


def _amount(value: Any) -> Decimal:
    """A finite number, exact where the engine was."""
    amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{value!r} is no finite number")
    return amount


def _maybe_amount(value: Any) -> Decimal | None:
    return None if value is None else _amount(value)


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no time")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
