"""What the month may cost, by the budgets that are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from farthing.alerts.budgets import Budget
from farthing.dashboards.panel import NONE


def month_limit_usd(
    budgets: Iterable[Budget], chosen: Mapping[str, tuple[str, ...]]
) -> Decimal | None:
    """The least limit of a month's budgets that are about what is chosen, no more and
    no less: about everything, or about one value of one tag. None where there is
    none."""
    filters = [(of, values) for of, values in chosen.items() if values]
    if not filters:
        filters = [("everything", ("*",))]
    (of, (who, *others)), *more = filters
    if others or more or who == NONE:
        return None
    limits = (
        budget.limit_usd
        for budget in budgets
        if budget.window == "month" and budget.of == of and budget.who in (who, "*")
    )
    return min(limits, default=None)
