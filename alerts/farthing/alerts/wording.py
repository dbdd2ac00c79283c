"""Texts of alerts: a rule's templates, filled with what its query found."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from farthing.errors import FarthingError

UNKNOWN: Final = "unknown"


class BadTemplate(FarthingError):
    """A template asks for what a row does not have; the message says which."""


_NAME: Final = re.compile(r"[a-z_]\w*")


class _Template(string.Formatter):
    """`{name}` and `{name:unit}` only: no attributes, no indices."""

    def get_field(
        self, field_name: str, args: Any, kwargs: Mapping[str, Any]
    ) -> tuple[Any, str]:
        del args
        if not _NAME.fullmatch(field_name):
            raise ValueError(f"{{{field_name}}} is not a name")
        if field_name not in kwargs:
            raise BadTemplate(
                f"a template asks for {{{field_name}}}, and the query has no such"
                f" column; there are: {', '.join(sorted(kwargs))}"
            )
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return UNKNOWN
        if not format_spec:
            return str(value)
        try:
            return UNITS[format_spec](value)
        except (ArithmeticError, ValueError, TypeError):
            raise BadTemplate(
                f"a template wants {value!r} as {format_spec}, and it is no number"
            ) from None


def fill(template: str, values: Mapping[str, Any]) -> str:
    """`template` with its names replaced; `{cost_usd:usd}` names a unit of `UNITS`.

    Raises BadTemplate for a name that there is not, KeyError for such a unit,
    ValueError for what is no template.
    """
    return _Template().vformat(template, (), values)


def names(template: str) -> set[str]:
    """The names that a template asks for. Raises ValueError for what is none."""
    found = set()
    for _, name, unit, _ in string.Formatter().parse(template):
        if name is not None:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{{{name}}} is not a name")
            if unit and unit not in UNITS:
                units = ", ".join(sorted(UNITS))
                raise ValueError(f"there is no unit {unit!r}; there are {units}")
            found.add(name)
    return found


def _usd(value: Any) -> str:
    """Cents from ten dollars up, four digits below a dime."""
    amount = Decimal(value)
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    digits = 2 if amount >= Decimal("0.1") or not amount else 4
    rounded = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    return f"{sign}${rounded:,f}"


def _usd_per_hour(value: Any) -> str:
    return f"{_usd(value)} per hour"


def _ratio(value: Any) -> str:
    return f"{Decimal(value):.1f}x"


def _share(value: Any) -> str:
    return f"{Decimal(value):.0%}"


def _count(value: Any) -> str:
    return f"{int(value):,}"


def _seconds(value: Any) -> str:
    seconds = int(value)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


UNITS: Final[Mapping[str, Callable[[Any], str]]] = {
    "usd": _usd,
    "usd_per_hour": _usd_per_hour,
    "ratio": _ratio,
    "share": _share,
    "tokens": _count,
    "calls": _count,
    "count": _count,
    "seconds": _seconds,
}
"""How an amount of each unit is written."""
