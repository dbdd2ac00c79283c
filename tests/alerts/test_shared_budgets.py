"""What guards are answered of shared budgets, while the ledger is read beside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from farthing.alerts.budget_reader import BudgetReader
from farthing.alerts.budgets import Budget
from farthing.alerts.declared import Declared, StopOrder
from farthing.alerts.file import AlertFile
from farthing.alerts.shared import Reading, SharedBudgets
from farthing.alerts.spent import Used
from farthing.collector.store.client import Store
from farthing.economics.leases import MOST_WORKS, Answer, Lease, Report, Use
from farthing.errors import BadPayload
from tests.alerts.ledger import NOW, add, call

CENT = 10**13
RUN = Budget(
    name="any", of="run", window="run", limit_usd=Decimal("0.50"), action="stop"
)
TEAM = Budget(
    name="team-day", of="team", window="day", limit_usd=Decimal(1), action="stop"
)
LINE = Used(
    *("team-day", "team", "infra", "day", "stop", Decimal(0), Decimal(0), 0, False),
    *(Decimal(1), Decimal(0), *TEAM.period(NOW)),
)
SUBJECTS = {"run_id": "r1", "task_type": "review", "team": "infra"}
ASKS = Use(asked=40 * CENT)


def budgets(*declared: Budget) -> SharedBudgets:
    """Of a ledger in which nobody has spent anything in a window."""
    made = SharedBudgets()
    made.update(Reading(NOW, declared, ()))
    return made


def ask(
    shared: SharedBudgets, uses: Mapping[str, Use] | None = None, **told: Any
) -> Answer:
    """What a guard hears that works for SUBJECTS."""
    report = replace(Report("p", [SUBJECTS], uses or {}), **told)
    answer = json.loads(shared.answer(json.dumps(report.to_json()).encode()))
    return Answer.from_json(answer, asked=len(report.works_for))


def lease(shared: SharedBudgets, use: Use = ASKS, **told: Any) -> Lease:
    """The only one; another guard has told its key."""
    [key] = ask(shared, process="other", **told).leases
    return ask(shared, {key: use}, **told).leases[key]


def test_nothing_is_leased_of_a_run_until_the_ledger_was_read() -> None:
    """A run that the collector does not know may have spent its budget before it was
    started, or before the run was idle: what was not looked up is not zero."""
    shared = budgets(RUN)
    unread = lease(shared)
    assert (unread.granted, unread.is_read, unread.is_refused) == (0, False, False)
    assert shared.run_ids(unread=True) == ["r1"]
    shared.learn({"r1": Decimal("0.45")})
    assert shared.run_ids(unread=True) == []
    read = lease(shared)
    assert (read.granted, read.spent, read.is_read) == (5 * CENT, 45 * CENT, True)


def test_a_reading_says_nothing_of_runs_that_it_was_not_asked_for() -> None:
    """A run that a guard asks for while the ledger is read was not looked up."""
    shared = budgets(RUN)
    asked_for = shared.run_ids()
    lease(shared)
    shared.learn(dict.fromkeys(asked_for, Decimal(0)))
    shared.update(Reading(NOW, [RUN], ()))
    assert not lease(shared).is_read


def test_what_a_guard_holds_stays_its_own_until_the_ledger_was_read() -> None:
    """A collector that begins anew takes guards at their word, and leases no more."""
    shared = budgets(RUN)
    held = Use(spent=10 * CENT, granted=30 * CENT, asked=40 * CENT)
    assert lease(shared, held).granted == 30 * CENT


@pytest.mark.parametrize("of", [TEAM, RUN])
def test_what_waits_since_before_a_restart_is_not_known(of: Budget) -> None:
    """A collector that was killed with a long backlog leases nothing until that is
    loaded: guards told an earlier process of it. What the ledger has already may be
    enough to refuse; what came since then is told by guards, and no reason to wait."""
    now_s = [100.0]
    woken: list[bool] = []
    shared = SharedBudgets(clock=lambda: now_s[0], wake=lambda: woken.append(True))

    def read(*, cents: int, lag_s: float) -> Lease:
        spent = Decimal(cents).scaleb(-2)
        line = replace(LINE, pessimistic_usd=spent)
        shared.update(Reading(NOW, [of], [line], lag_s))
        shared.learn({"r1": spent}, lag_s=lag_s)
        return lease(shared, Use(asked=10 * CENT))

    now_s[0] += 5
    read(cents=10, lag_s=3_600)  # makes the account of a run
    unread = read(cents=10, lag_s=3_600)
    assert (unread.granted, unread.spent, unread.is_read) == (0, 10 * CENT, False)
    woken.clear()
    assert read(cents=99, lag_s=1_800).is_refused
    assert woken == []
    now_s[0] += 60
    known = read(cents=20, lag_s=50)
    assert (known.granted, known.is_read) == (10 * CENT, True)


def test_the_reader_is_woken_by_a_run_that_is_new() -> None:
    """And not by one that was looked up."""
    woken: list[bool] = []
    shared = SharedBudgets(wake=lambda: woken.append(True))
    shared.update(Reading(NOW, [RUN], ()))
    ask(shared)
    assert woken == [True]
    shared.learn({"r1": Decimal(0)})
    ask(shared)
    assert woken == [True]


@pytest.mark.parametrize("character", ["x", '"', "\N{SNOWMAN}"])
def test_names_of_any_length_have_budgets(character: str) -> None:
    """A guard can say the key of a budget, however long the names behind it are."""
    who = character * 2048
    shared = budgets(TEAM.model_copy(update={"name": character * 3000}))
    told = lease(shared, works_for=[{"team": who}])
    assert (told.who, told.granted) == (who, 40 * CENT)


def test_a_limit_that_changes_holds_for_what_was_leased_before() -> None:
    """The account is the budget's, whatever its key looks like."""
    shared = budgets(TEAM)
    assert lease(shared).limit == 100 * CENT
    smaller = TEAM.model_copy(update={"limit_usd": Decimal("0.30")})
    shared.update(Reading(NOW, [smaller], ()))
    assert lease(shared).limit == 30 * CENT


def test_a_report_that_comes_late_counts_nothing_twice() -> None:
    """One that timed out on its way, and arrives after the next, is refused."""
    shared = budgets(TEAM)
    [key] = ask(shared).leases
    ask(shared, {key: Use(spent=20 * CENT, granted=50 * CENT)}, number=2)
    with pytest.raises(BadPayload, match="report 1 of this process comes after"):
        ask(shared, {key: Use(spent=10 * CENT, granted=50 * CENT)}, number=1)
    last = ask(shared, {key: Use(spent=20 * CENT, granted=50 * CENT)}, number=2)
    assert last.leases[key].spent == 20 * CENT


def test_nobody_claims_more_than_it_was_granted() -> None:
    """One process cannot take a budget from the others by saying that it is its own."""
    shared = budgets(TEAM)
    [key] = ask(shared).leases
    ask(shared, {key: Use(granted=10**26)})
    assert ask(shared, {key: ASKS}, process="other").leases[key].granted == 40 * CENT
    ask(shared, {key: Use(granted=10**26)}, process="unknown")
    assert (
        ask(shared, {key: Use()}, process="unknown").leases[key].granted <= 100 * CENT
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"works_for": [{}] * (MOST_WORKS + 1)}, f"501 entries.*{MOST_WORKS}"),
        ({"works_for": [{"team": "a\ud800"}]}, "team must be a text of Unicode"),
        ({"process": "\udcff"}, "process must be a text of Unicode"),
        ({"uses": {"\ud800": Use()}}, "uses must be a text of Unicode"),
        ({"uses": {"key": Use(spent=10**27)}}, "spent must be an integer from 0 to"),
        ({"number": -1}, "number must be an integer"),
    ],
)
def test_a_report_without_measure_is_refused(wrong: Any, words: str) -> None:
    """With words that say what is wrong, and nothing is changed by it."""
    shared = budgets(TEAM)
    with pytest.raises(BadPayload, match=words):
        ask(shared, **wrong)


class Asked:
    """A ledger's answers; those about single runs fail while `fails` is set."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.fails = False

    def __call__(
        self, sql: str, parameters: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        if self.fails and "run_ids" in parameters:
            raise ValueError("a run that cannot be asked for")
        return self.store.rows(sql, parameters)


def reader(
    ask: Asked,
    file: AlertFile,
    *declared: Budget,
    orders: Sequence[StopOrder] = (),
    clock_s: Callable[[], float] = time.monotonic,
) -> BudgetReader:
    """One that was started nowhere: a test reads when it wants to."""
    known = Declared(file, None)
    for budget in declared:
        known.set(budget)
    made = BudgetReader(ask, known, orders=lambda: orders, clock=lambda: NOW)
    made.shared = SharedBudgets(clock=clock_s)
    return made


def test_a_run_that_is_new_to_the_collector_is_looked_up(
    ledger: Store, file: AlertFile
) -> None:
    """What the ledger counted of it before holds, as soon as a guard asks for it."""
    add(ledger, [call("r1", "0.45", ago=timedelta(days=3))])
    made = reader(Asked(ledger), file, RUN)
    made.read()
    assert not lease(made.shared).is_read
    made.look_up()
    assert lease(made.shared).spent == 45 * CENT


@pytest.mark.parametrize(
    "run_id", ["a\tb\n'c\"\\d\x00", "r[1],(2)", "\N{SNOWMAN}" * 600]
)
def test_runs_of_any_name_are_looked_up(
    ledger: Store, file: AlertFile, run_id: str
) -> None:
    """Names are the users' own."""
    add(ledger, [call(run_id, "0.45", ago=timedelta(minutes=3))])
    made = reader(Asked(ledger), file, RUN)
    made.read()
    works_for = [{"run_id": run_id}]
    lease(made.shared, works_for=works_for)
    made.look_up()
    assert lease(made.shared, works_for=works_for).spent == 45 * CENT


def test_runs_that_cannot_be_read_keep_nothing_else_from_guards(
    ledger: Store, file: AlertFile, caplog: pytest.LogCaptureFixture
) -> None:
    """Budgets with windows go on, orders to stop reach the guards, and the log says
    once what fails."""
    asked = Asked(ledger)
    order = StopOrder(id="1", by="ann", match={"team": ("infra",)}, made_at=NOW)
    made = reader(asked, file, RUN, TEAM, orders=[order])
    made.read()
    ask(made.shared)
    asked.fails = True
    add(ledger, [call("r2", "0.30", ago=timedelta(minutes=3))])
    made.read()
    made.read()
    told = ask(made.shared)
    by_name = {each.budget: each for each in told.leases.values()}
    assert by_name["team-day"].spent == 30 * CENT
    assert not by_name["any"].is_read
    assert [stop.by for stop in told.applies[0].stops] == ["ann"]
    assert caplog.text.count("what runs spent cannot be read: ValueError") == 1
    asked.fails = False
    made.look_up()
    assert all(each.is_read for each in ask(made.shared).leases.values())


def test_a_ledger_that_is_away_keeps_no_order_from_guards(
    ledger: Store, file: AlertFile
) -> None:
    """Who must stop is not asked of the ledger."""
    orders: list[StopOrder] = []
    made = reader(Asked(ledger), file, TEAM, orders=orders)
    made.read()
    ledger.close()
    orders.append(StopOrder(id="1", by="ann", match={"team": ("*",)}, made_at=NOW))
    made.read()
    assert [stop.by for stop in ask(made.shared).applies[0].stops] == ["ann"]


def test_a_process_that_ended_keeps_no_lease_while_the_ledger_is_away(
    ledger: Store, file: AlertFile
) -> None:
    """Workers come and go meanwhile: what the old ones leased is free for the new."""
    now_s = [0.0]
    made = reader(Asked(ledger), file, TEAM, clock_s=lambda: now_s[0])
    made.read()
    all_of_it = Use(asked=100 * CENT)
    assert lease(made.shared, all_of_it).granted == 100 * CENT
    ledger.close()
    now_s[0] = 60.0
    made.read()
    [told] = ask(made.shared, process="new").leases
    new = ask(made.shared, {told: all_of_it}, process="new").leases[told]
    assert new.granted == 100 * CENT


def test_what_guards_told_counts_while_a_run_cannot_be_read(
    ledger: Store, file: AlertFile
) -> None:
    """The ledger may know better by then, but did not say so."""
    now_s = [0.0]
    asked = Asked(ledger)
    made = reader(asked, file, RUN, clock_s=lambda: now_s[0])
    made.read()
    [key] = ask(made.shared).leases
    made.look_up()
    ask(made.shared, {key: Use(asked=30 * CENT)})
    ask(made.shared, {key: Use(spent=30 * CENT, granted=30 * CENT)})
    asked.fails = True
    now_s[0] = 60.0
    made.read()
    assert ask(made.shared).leases[key].spent == 30 * CENT
    asked.fails = False
    made.read()
    assert ask(made.shared).leases[key].spent == 0
