"""The dashboards: which panels stand where, and the variables that all share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from farthing import plugins
from farthing.dashboards.panel import Panel, Panels, filled

FAMILY: Final = "farthing.dashboards.panels"
WIDTH: Final = 24
"""Columns of Grafana's grid; the widths of a row add up to it."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, (id, width) each; `height` in Grafana's units of 30 px."""

    height: int
    panels: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One question and the panels that answer it. `days`: its usual range.

    `chooses` is the variable that it is about, which must be chosen.
    """

    id: str
    title: str
    question: str
    rows: tuple[Row, ...]
    days: int = 7
    chooses: str = ""

    @property
    def panels(self) -> tuple[str, ...]:
        """Ids of its panels, in reading order."""
        return tuple(name for row in self.rows for name, _ in row.panels)


def with_usual(names: Iterable[str]) -> tuple[str, ...]:
    """Ids of panels, each with the one whose answer its chart shows, too."""
    both = (one for name in names for one in (name, panel(name).usual))
    return tuple(dict.fromkeys(filter(None, both)))


@dataclass(frozen=True, slots=True)
class Variable:
    """What people choose from: SQL with the columns `value` and `label`."""

    name: str
    title: str
    sql: str


VARIABLES: Final = tuple(
    Variable(name, title, filled("{{choices}}").replace("tag", name))
    for name, title in (
        ("business_unit", "Business unit"),
        ("task_type", "Task type"),
        ("agent", "Agent"),
        ("model", "Model"),
        ("environment", "Environment"),
    )
)
RUN_VARIABLE: Final = Variable("run", "Run", filled("{{choices_of_runs}}"))


def _stats(*names: str) -> Row:
    return Row(4, tuple((name, WIDTH // len(names)) for name in names))


def _full(name: str, height: int = 9) -> Row:
    return Row(height, ((name, WIDTH),))


def _halves(left: str, right: str, height: int = 9) -> Row:
    return Row(height, ((left, WIDTH // 2), (right, WIDTH // 2)))


DASHBOARDS: Final = (
    Dashboard(
        id="overview",
        title="Overview",
        question="What do we spend, on what, and does anything need a look?",
        rows=(
            _stats("spend", "forecast", "cost_per_run"),
            _stats("cache_savings", "waste", "unpriced"),
            Row(10, (("spend_by_model", 16), ("spend_by_unit", 8))),
            _full("task_types", 8),
            _full("dearest_runs", 11),
            _full("findings", 7),
            _full("alerts_open", 6),
        ),
    ),
    Dashboard(
        id="cost",
        title="Cost per task and business unit",
        question="What does one finished task cost, who owes what, and what changed?",
        days=30,
        rows=(
            Row(10, (("spend_by_task", 16), ("spend_by_unit", 8))),
            _full("outcomes", 8),
            _full("cost_per_outcome", 6),
            _halves("task_types", "run_costs", 8),
            _full("movers"),
            Row(9, (("direct_inclusive", 14), ("spend_by_user", 10))),
            _full("chargeback", 12),
            Row(4, (("unattributed", 12), ("unpriced", 12))),
        ),
    ),
    Dashboard(
        id="run",
        title="Run",
        question="Why did this run cost that?",
        chooses="run",
        rows=(
            _full("run_summary", 4),
            _full("run_context", 10),
            _halves("run_cost", "run_total", 8),
            _full("run_marks", 7),
            _full("run_drivers", 8),
            _full("run_steps", 14),
            _full("runs", 12),
        ),
    ),
    Dashboard(
        id="loops",
        title="Loops and waste",
        question="Which runs make no progress, and what does that burn?",
        rows=(
            Row(4, (("waste", 24),)),
            _full("findings"),
            _halves("waste_by_kind", "waste_by_task", 8),
            _full("repeated_calls"),
            _halves("turns_per_run", "turns_and_cost", 10),
        ),
    ),
    Dashboard(
        id="cache",
        title="Cache",
        question="Is caching paying, and what breaks it?",
        rows=(
            _full("cache_savings", 4),
            _halves("cache_hits", "cache_tokens", 10),
            _full("cache_balance"),
            _halves("cache_gaps", "prefix_churn", 9),
        ),
    ),
    Dashboard(
        id="models",
        title="Models and prices",
        question="Which models take the money, and what would others cost?",
        rows=(
            _full("models"),
            _full("spend_by_model", 10),
            _halves("what_if", "models_by_task", 9),
            _full("prices_in_force"),
            _full("unpriced_models", 8),
        ),
    ),
    Dashboard(
        id="tools",
        title="Tools",
        question="Which tools are called, fail, and fill the context?",
        rows=(
            _full("tools", 10),
            _full("tool_costs", 10),
            _halves("tool_calls", "tool_errors", 9),
            _full("repeated_calls", 8),
        ),
    ),
    Dashboard(
        id="alerts",
        title="Alerts",
        question="What needs somebody, and which rules are worth their noise?",
        days=30,
        rows=(
            _full("alerts_open"),
            _full("alerts_over_time", 8),
            _full("alert_rules", 8),
            _full("alert_history", 10),
        ),
    ),
    Dashboard(
        id="health",
        title="Collector health",
        question="Is everything counted that was spent?",
        days=1,
        rows=(
            Row(4, (("unpriced", 12), ("unattributed", 12))),
            _halves("arrivals", "lag", 9),
            _full("emitters", 10),
            _full("unpriced_models", 8),
            _halves("corrections", "storage", 9),
        ),
    ),
)


@cache
def panels() -> Panels:
    """Every panel by its id, third parties' included."""
    return {name: panel(name) for name in plugins.names(FAMILY)}


@cache
def panel(name: str) -> Panel:
    """The panel of an id. Raises ConfigError, naming what there is, for another."""
    found = plugins.load(FAMILY, name, "PANEL")
    if not isinstance(found, Panel):
        raise TypeError(f"{FAMILY}.{name}: PANEL is no Panel")
    return found


def dashboard(name: str) -> Dashboard:
    """The dashboard of an id; a KeyError for another."""
    return {one.id: one for one in DASHBOARDS}[name]


def variables(of: Dashboard) -> tuple[Variable, ...]:
    """What can be chosen on it; what must be comes first."""
    return (RUN_VARIABLE, *VARIABLES) if of.chooses == "run" else VARIABLES
