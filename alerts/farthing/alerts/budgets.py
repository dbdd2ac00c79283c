"""Budgets: who may spend how much in which time, declared in one YAML file.

budgets:
  - {name: platform-month, of: business_unit, who: platform, window: month,
     limit_usd: 5000, action: warn}
  - {name: per-user-day, of: user, window: day, limit_usd: 20, action: stop}
  - {name: per-run, of: run, window: run, limit_usd: 2.50}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from farthing.alerts.problems import problems
from farthing.errors import ConfigError, not_yaml

Of = Literal[
    "everything",
    "business_unit",
    "team",
    "user",
    "task_type",
    "agent",
    "service",
    "environment",
    "run",
]
Window = Literal["day", "week", "month", "run"]
Action = Literal["warn", "stop", "handback"]
STEPS: Final = (50, 80, 100, 120)


class Budget(BaseModel):
    """One limit. Of whom (`who`, or each by itself with `*`; for runs, a task type),
    in which window of the calendar of `zone`, and what its end means to a guard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    of: Of
    who: str = "*"
    window: Window
    limit_usd: Decimal = Field(gt=0, max_digits=21, decimal_places=9)
    steps: tuple[int, ...] = Field(default=STEPS, min_length=1)
    action: Action = "warn"
    zone: str = "UTC"

    @field_validator("limit_usd", mode="before")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        return repr(value) if isinstance(value, float) else value

    @field_validator("steps")
    @classmethod
    def _ascending(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted(set(steps)) or steps[0] <= 0:
            raise ValueError("steps are percentages, each above the one before")
        return steps

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{zone!r} is no time zone, as Europe/Berlin is") from None
        return zone

    @model_validator(mode="after")
    def _fits(self) -> Budget:
        if (self.of == "run") != (self.window == "run"):
            raise ValueError("'of: run' and 'window: run' go together")
        if self.of == "agent" and self.action != "warn":
            raise ValueError(
                "'of: agent' can only warn: a guard knows for which run, task type,"
                " user, team, business unit, service or environment a call is made,"
                " not for which agent; declare one of these"
            )
        return self

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """Begin and end of the window around a moment, in UTC. Spend is kept by the
        hour of UTC: where a zone's day begins within one, the hour counts to the day
        in which it begins."""
        local = now.astimezone(ZoneInfo(self.zone))
        # Where clocks go back to midnight, a day begins with the first of the two.
        first = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.window == "week":
            first -= timedelta(days=first.weekday())
        if self.window == "month":
            first = first.replace(day=1)
        days = {"day": 1, "week": 7, "month": 32}[self.window]
        last = first + timedelta(days=days)
        if self.window == "month":
            last = last.replace(day=1)
        return first.astimezone(UTC), last.astimezone(UTC)


def read_budgets(path: Path | None) -> tuple[Budget, ...]:
    """The budgets in a file; none without one. Raises ConfigError."""
    if path is None:
        return ()
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not text in UTF-8") from None
    except yaml.YAMLError as error:
        raise not_yaml(path, error) from None
    if not isinstance(told, dict) or told.keys() != {"budgets"}:
        raise ConfigError(f"{path}: must hold 'budgets:' and a list of them")
    listed = told["budgets"] or []
    if not isinstance(listed, list):
        raise ConfigError(f"{path}: 'budgets:' must be a list")
    budgets = [_budget(each, path, n) for n, each in enumerate(listed)]
    names = [budget.name for budget in budgets]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{path}: several budgets are called {', '.join(double)}")
    return tuple(budgets)


def as_given(
    budgets: tuple[Budget, ...], now: datetime
) -> Mapping[str, list[dict[str, Any]]]:
    """The budgets as the queries of the rules are given them, by parameter."""
    told: dict[str, list[dict[str, Any]]] = {"budgets": [], "run_budgets": []}
    for budget in budgets:
        fields = {
            "name": budget.name,
            "of": budget.of,
            "who": budget.who,
            "window": budget.window,
            "limit_usd": format(budget.limit_usd, "f"),
            "steps": list(budget.steps),
            "action": budget.action,
        }
        if budget.of == "run":
            told["run_budgets"].append(fields)
        else:
            begin, end = budget.period(now)
            times = {"from_s": int(begin.timestamp()), "until_s": int(end.timestamp())}
            told["budgets"].append(fields | times)
    return told


def checked(told: Any, where: str) -> Budget:
    """A budget from its fields. Raises ConfigError that says what is wrong."""
    try:
        return Budget.model_validate(told)
    except ValidationError as error:
        raise ConfigError(f"{where}: {problems(error)}") from None


def _budget(told: Any, path: Path, number: int) -> Budget:
    name = told.get("name") if isinstance(told, dict) else None
    return checked(told, f"{path}: budget {name or number + 1}")
