"""What is spent of each budget in the window that runs, and the forecast."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from farthing.alerts.budgets import Budget, as_given
from farthing.alerts.evaluate import Ask
from farthing.alerts.rule import shipped
from farthing.economics.budgets import NEAR_PERCENT


@dataclass(frozen=True, slots=True)
class Used:
    """One budget of one subject in its window. `pessimistic_usd` counts calls without a
    known cost, too, as rules/budget.sql says."""

    budget: str
    of: str
    who: str
    window: str
    action: str
    spent_usd: Decimal
    pessimistic_usd: Decimal
    unpriced_calls: int
    lower_bound: bool
    limit_usd: Decimal
    forecast_usd: Decimal
    begins_at: datetime
    ends_at: datetime

    @property
    def share(self) -> float:
        """The part of the limit that is spent."""
        return float(self.spent_usd / self.limit_usd)

    @property
    def state(self) -> str:
        """How it stands: `ok`, `near` its end, or `used up`."""
        if self.spent_usd >= self.limit_usd:
            return "used up"
        return "near" if self.share * 100 >= NEAR_PERCENT else "ok"

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`: money is a decimal string."""
        told = {
            name: format(value, "f") if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
        }
        times = {
            "begins_at": self.begins_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
        }
        derived = {
            "share": self.share,
            "state": self.state,
        }
        return told | times | derived


def used(ask: Ask, budgets: Sequence[Budget], *, now: datetime) -> tuple[Used, ...]:
    """What is spent of each budget by whoever spent anything, the most used first;
    budgets of single runs are left out."""
    # The rule's own query, with a step that everything has reached.
    all_of = tuple(budget.model_copy(update={"steps": (0,)}) for budget in budgets)
    asked: Mapping[str, Any] = {
        "now": now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "open": [],
        "budgets": json.dumps(as_given(all_of, now)["budgets"]),
    }
    rows = ask(shipped()["budget"].sql, asked)
    return tuple(sorted(map(_used, rows), key=lambda line: -line.share))


def standing(
    lines: Sequence[Used], budgets: Sequence[Budget], *, now: datetime
) -> tuple[Used, ...]:
    """`lines`, and one of nothing for each budget of which nobody has spent anything;
    budgets of single runs are left out."""
    known = {line.budget for line in lines}
    idle = (b for b in budgets if b.of != "run" and b.name not in known)
    return (*lines, *(_unused(budget, now) for budget in idle))


def _unused(budget: Budget, now: datetime) -> Used:
    begins_at, ends_at = budget.period(now)
    nothing = Decimal(0)
    return Used(
        budget=budget.name,
        of=budget.of,
        who="everything" if budget.of == "everything" else budget.who,
        window=budget.window,
        action=budget.action,
        spent_usd=nothing,
        pessimistic_usd=nothing,
        unpriced_calls=0,
        lower_bound=False,
        limit_usd=budget.limit_usd,
        forecast_usd=nothing,
        begins_at=begins_at,
        ends_at=ends_at,
    )


def used_by_run(ask: Ask, run_ids: Sequence[str]) -> Mapping[str, Decimal]:
    """What each of these runs spent, in USD, pessimistically; those that are not in the
    ledger have spent nothing."""
    sql = (files(__package__) / "spent_by_run.sql").read_text(encoding="utf-8")
    rows = ask(sql, {"run_ids": list(run_ids)})
    told = {row["run_id"]: row["pessimistic_usd"] for row in rows}
    return {run_id: told.get(run_id, Decimal(0)) for run_id in run_ids}


def _used(row: Mapping[str, Any]) -> Used:
    return Used(
        budget=row["budget"],
        of=row["of"],
        who=row["who"],
        window=row["window"],
        action=row["action"],
        spent_usd=row["value"],
        pessimistic_usd=row["pessimistic_usd"],
        unpriced_calls=row["unpriced_calls"],
        lower_bound=bool(row["lower_bound"]),
        limit_usd=row["limit_usd"],
        forecast_usd=row["forecast_usd"],
        begins_at=row["since"].replace(tzinfo=UTC),
        ends_at=row["ends_at"].replace(tzinfo=UTC),
    )


def document(
    lines: Sequence[Used], budgets: Sequence[Budget], *, now: datetime
) -> bytes:
    """What is served to programs: budgets as declared, and what is spent of them."""
    told = {
        "at": now.isoformat(),
        "declared": [json.loads(budget.model_dump_json()) for budget in budgets],
        "used": [line.to_json() for line in lines],
    }
    return json.dumps(told).encode()
