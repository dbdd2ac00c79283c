"""What operators declare while a collector runs, and what rules order by firing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from farthing.alerts.budgets import Budget, read_budgets
from farthing.alerts.declared import Declared, ordered_by_rules
from farthing.alerts.file import AlertFile
from farthing.alerts.incident import Incident, resolved
from farthing.alerts.rule import Rule
from farthing.errors import ConfigError
from tests.alerts.test_life import RULE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OF_FILE = "budgets: [{{name: platform, of: team, window: day, limit_usd: {limit}}}]"
STOPS = RULE.model_copy(update={"action": "stop"})


class BudgetsFile:
    """A file that operators edit; each edit is later than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._edits = 0

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self._edits += 1
        later_ns = self._edits * 10**9
        os.utime(self.path, ns=(later_ns, later_ns))


@pytest.fixture
def budgets_file(tmp_path: Path) -> BudgetsFile:
    made = BudgetsFile(tmp_path / "budgets.yaml")
    made.write(OF_FILE.format(limit=10))
    return made


@pytest.fixture
def declared(file: AlertFile, budgets_file: BudgetsFile) -> Declared:
    return Declared(file, budgets_file.path)


def limits(declared: Declared) -> dict[str, Decimal]:
    return {budget.name: budget.limit_usd for budget in declared.budgets()}


def test_a_file_that_changes_is_read_anew(
    declared: Declared, budgets_file: BudgetsFile
) -> None:
    """A limit that was edited in the file is in force with the next look."""
    assert limits(declared) == {"platform": 10}
    budgets_file.write(OF_FILE.format(limit="12.50"))
    assert limits(declared) == {"platform": Decimal("12.50")}


@pytest.mark.parametrize(
    "broken",
    ["", "[]", "budgets: [", "budgets: 5", "budgets: [{name: x}]", "limits: []"],
)
def test_a_file_that_became_wrong_changes_nothing(
    declared: Declared,
    budgets_file: BudgetsFile,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    """Budgets stay as they were, the log says why, once; a mended file is read."""
    budgets_file.write(broken)
    assert limits(declared) == limits(declared) == {"platform": 10}
    assert caplog.text.count("budgets stay as they were") == 1
    assert str(budgets_file.path) in caplog.text
    budgets_file.write(OF_FILE.format(limit=3))
    assert limits(declared) == {"platform": 3}


def test_a_file_that_is_gone_changes_nothing(
    declared: Declared, budgets_file: BudgetsFile
) -> None:
    """A file that is being replaced does not lift a limit."""
    budgets_file.path.unlink()
    assert limits(declared) == {"platform": 10}


def budget(name: str, limit_usd: str) -> Budget:
    return Budget(name=name, of="user", window="day", limit_usd=Decimal(limit_usd))


def test_a_budget_is_set_changed_and_removed(declared: Declared) -> None:
    """`set` declares one and replaces one of its name; `remove` ends it."""
    declared.set(budget("mine", "5"))
    declared.set(budget("mine", "7.000000001"))
    assert limits(declared) == {"platform": 10, "mine": Decimal("7.000000001")}
    declared.remove("mine")
    assert limits(declared) == {"platform": 10}


def test_another_process_sees_what_was_set(
    declared: Declared, file: AlertFile, budgets_file: BudgetsFile
) -> None:
    """The command line and the collector share what is declared, at once."""
    other = Declared(file, budgets_file.path)
    declared.set(budget("mine", "5"))
    assert "mine" in limits(other)
    other.remove("mine")
    assert "mine" not in limits(declared)


def test_what_the_file_declares_is_changed_there(
    declared: Declared, budgets_file: BudgetsFile
) -> None:
    """Neither `set` nor `remove` touches a budget of the file: the error names it."""
    with pytest.raises(ConfigError, match=r"budgets\.yaml: change it there"):
        declared.set(budget("platform", "1"))
    with pytest.raises(ConfigError, match=r"budgets\.yaml: change it there"):
        declared.remove("platform")


def test_a_budget_that_is_not_there_cannot_be_removed(declared: Declared) -> None:
    """The error says which there are."""
    with pytest.raises(ConfigError, match="no budget 'mine': none was set"):
        declared.remove("mine")
    declared.set(budget("theirs", "5"))
    with pytest.raises(ConfigError, match="`farthing budgets set` made theirs"):
        declared.remove("mine")


@pytest.mark.parametrize(
    ("zone", "begin", "end"),
    [
        ("UTC", "2026-03-29T00:00", "2026-03-30T00:00"),
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("America/New_York", "2026-03-29T04:00", "2026-03-30T04:00"),
        ("Asia/Kolkata", "2026-03-28T18:30", "2026-03-29T18:30"),
    ],
)
def test_a_day_is_one_of_the_zones_calendar(zone: str, begin: str, end: str) -> None:
    """A day begins and ends at its zone's midnights, also where one has 23 hours."""
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    a_day = budget("day", "1").model_copy(update={"zone": zone})
    assert [moment.isoformat()[:16] for moment in a_day.period(noon)] == [begin, end]


@pytest.mark.parametrize("action", ["stop", "handback"])
def test_what_guards_cannot_hold_is_not_promised(
    declared: Declared, budgets_file: BudgetsFile, action: str
) -> None:
    """A budget of an agent may warn only; one that is to stop it is refused, and the
    error says of what it can be declared."""
    one = "{name: a, of: agent, window: day, limit_usd: 1, action: %s}"
    budgets_file.write(f"budgets: [{one % 'warn'}]")
    assert limits(declared) == {"a": 1}
    budgets_file.write(f"budgets: [{one % action}]")
    with pytest.raises(ConfigError, match=r"can only warn: .* declare one of these"):
        read_budgets(budgets_file.path)


def incident(**labels: str) -> Incident:
    """One that fires."""
    return Incident(
        id="one",
        rule=RULE.name,
        subject="s",
        shown="s",
        phase="firing",
        opened_at=NOW,
        since=NOW,
        seen_at=NOW,
        value=Decimal(2),
        peak=Decimal(2),
        threshold=Decimal(1),
        unit="count",
        level=1,
        severity="warning",
        title="s is hot",
        summary="",
        labels=labels,
    )


def orders(one: Incident, rule: Rule = STOPS) -> list[dict[str, tuple[str, ...]]]:
    return [
        dict(each.match) for each in ordered_by_rules({one.id: one}, {rule.name: rule})
    ]


def test_a_rule_stops_the_run_that_it_is_about() -> None:
    """Its run alone, not its team's others."""
    assert orders(incident(run_id="r1", team="growth")) == [{"run_id": ("r1",)}]


def test_a_rule_about_no_run_stops_what_has_its_labels() -> None:
    """Labels that guards know, with a value; without any, nothing is stopped."""
    labels = {"team": "growth", "user": "", "channel": "C1"}
    assert orders(incident(**labels)) == [{"team": ("growth",)}]
    assert orders(incident(channel="C1")) == []


def test_only_a_rule_that_fires_and_stops_orders() -> None:
    """Neither a rule that tells, nor a pending or a resolved incident, stops anything;
    one that is recovering may come back, and goes on to."""
    fires = incident(run_id="r1")
    assert orders(fires, RULE) == []
    assert orders(replace(fires, phase="pending")) == []
    assert orders(resolved(fires, "cleared", now=NOW + timedelta(minutes=1))) == []
    assert orders(replace(fires, phase="recovering")) == [{"run_id": ("r1",)}]
