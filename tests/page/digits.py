"""Numbers on the page, read back as exactly as they are written."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from farthing.collector.web.page.cells import UNKNOWN
from farthing.dashboards.panel import Column

_SCALES: Final = {
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "%": Decimal("0.01"),
}
_NUMBER: Final = re.compile(r"(-?)\$?([\d,]+(?:\.\d+)?)\s?([kMG%]?)")
_CHECKED: Final = ("usd", "tokens", "count", "share", "ratio")


def is_shown(text: str, value: Any) -> bool:
    """Whether a cell's text is the value, as exact as its digits are."""
    if value is None:
        return text.strip() == UNKNOWN
    found = _NUMBER.search(text)
    if found is None:
        return False
    sign, digits, unit = found.groups()
    scale = _SCALES[unit]
    said = Decimal(f"{sign}{digits.replace(',', '')}")
    last = scale / 10 ** len(digits.partition(".")[2])
    return bool(abs(Decimal(value) - said * scale) <= last * Decimal("0.51"))


def checked(column: Column) -> bool:
    """Whether a column's cells are numbers that can be read back."""
    return column.unit in _CHECKED
