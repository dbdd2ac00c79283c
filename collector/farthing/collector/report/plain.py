"""Values of the ledger as JSON has them: exact, and with their zone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal


def plain(money: Decimal) -> str:
    """Every digit that is not a trailing zero, without an exponent."""
    text = f"{money:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC; the store gives times of UTC without saying so."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat()
