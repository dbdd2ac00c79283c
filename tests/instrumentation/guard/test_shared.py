"""Shared budgets in one process: a collector that answers, one that is away, slow, or
talks nonsense."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from farthing.alerts.lease_book import LeaseAccount
from farthing.economics.budgets import Estimate
from farthing.economics.leases import (
    LARGEST_REPORT_BYTES,
    MOST_WORKS,
    Answer,
    Applies,
    Lease,
    Report,
    Stop,
    Use,
)
from farthing.errors import BudgetExceeded, BudgetUnknown, StopOrdered
from farthing.instrumentation.guard import shared
from farthing.instrumentation.guard.link import CollectorAway, Link
from farthing.instrumentation.guard.notices import Notice
from farthing.instrumentation.guard.runs import Run
from farthing.instrumentation.guard.shared import Hold, Refusal, SharedLimits
from farthing.instrumentation.guard.wording import BUDGET_MESSAGE
from tests.instrumentation.guard.agents import Agent, agent

CENT = 10**13
RUN = Run("r1", "report", team="growth")
KEY = "a key"


class Collector:
    """A collector with one budget, in this process."""

    def __init__(self, cents: int, action: str = "stop") -> None:
        self.book = LeaseAccount(cents * CENT, in_ledger=0)
        self.action = action
        self.stops: list[Stop] = []
        self.reports: list[Report] = []
        self.is_away = False

    def __call__(self, report: Report) -> Answer:
        report = Report.from_json(json.loads(json.dumps(report.to_json())))
        if self.is_away:
            raise CollectorAway("it is down")
        self.reports.append(report)
        applies = [Applies([KEY], self.stops) for _ in report.works_for]
        use = report.uses.get(KEY, Use())
        granted = self.book.report(report.process, use, now_s=0.0)
        lease = Lease(
            *("growth", "team", "growth", "month", self.action),
            limit=self.book.limit,
            spent=self.book.spent,
            granted=granted.total,
            is_refused=granted.is_refused,
            is_tight=granted.is_tight,
            is_read=self.book.is_read,
        )
        told = Answer(applies, {KEY: lease}).to_json()
        return Answer.from_json(json.loads(json.dumps(told)), asked=len(applies))


def sharing(ask: Callable[[Report], Answer], **environment: str) -> Agent:
    """An agent whose guard asks this collector. Its calls cost a cent each."""
    link = Link(ask)
    limits = SharedLimits({"service": "api"}, wake=link.wake)
    link.start(limits)
    env = {"FARTHING_BUDGETS": "http://127.0.0.1:1", **environment}
    return agent(env, run=lambda: RUN, shared=limits)


def spend(worker: Agent, most: int = 100) -> int:
    """Call until the guard stops it; how many calls were sent."""
    for _ in range(most):
        try:
            worker.call()
        except BudgetExceeded:
            break
    return len(worker.sent)


def spend_until_stopped(worker: Agent) -> None:
    """Call until the guard stops it, for ten seconds at most."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        worker.call()


def test_processes_stop_at_the_budget_that_they_share(notices: list[Notice]) -> None:
    """Two guards that know nothing of each other send no more than the budget has room
    for, and the exception says whose budget it is."""
    collector = Collector(20)
    first, second = sharing(collector), sharing(collector)
    sent = spend(first, 8) + spend(second)
    assert 18 <= sent <= 20
    with pytest.raises(BudgetExceeded) as stop:
        first.call()
    assert (stop.value.budget, stop.value.allowed) == ("growth", Decimal("0.20"))
    assert "budget growth of team growth for this month" in str(stop.value)
    assert "farthing budgets set growth" in str(stop.value)
    assert [n.what for n in notices if n.budget == "growth"].count("reached") == 2
    subjects = collector.reports[-1].works_for[0]
    assert subjects == {
        "service": "api",
        "run_id": "r1",
        "task_type": "report",
        "team": "growth",
    }


def test_calls_without_a_bound_are_alone_where_one_could_pass_the_budget() -> None:
    """While one is under way that may cost more than is left, no process has anything
    of the budget for another; once it has ended, the next one may go."""
    collector = Collector(20)
    first, second = sharing(collector), sharing(collector)
    unbounded = {"messages": [{"role": "user", "content": "go"}], "max_tokens": None}
    under_way = first.begin(unbounded)
    with pytest.raises(BudgetExceeded) as stop:
        second.begin(unbounded)
    assert "sets no output bound" in str(stop.value)
    with pytest.raises(BudgetExceeded):
        second.begin()
    first.end(under_way)
    deadline_s = time.monotonic() + 10
    while not second.sent:  # once the collector has heard of that
        assert time.monotonic() < deadline_s
        with suppress(BudgetExceeded):
            second.call(unbounded)


def test_calls_without_a_bound_are_side_by_side_where_none_can_pass_it() -> None:
    """Of a budget with room for the longest answers each holds such a one."""
    collector = Collector(500)
    first, second = sharing(collector), sharing(collector)
    unbounded = {"messages": [{"role": "user", "content": "go"}], "max_tokens": None}
    calls = [(worker, worker.begin(unbounded)) for worker in (first, second)]
    for worker, call in calls:
        worker.end(call)
    assert len(first.sent) == len(second.sent) == 1


def test_a_budget_that_warns_stops_nothing(notices: list[Notice]) -> None:
    """Near its end and at it are told, once each."""
    worker = sharing(Collector(5, "warn"))
    assert spend(worker, 40) == 40
    told = [notice.what for notice in notices]
    assert told in (["near", "reached"], ["reached"])


def test_a_budget_that_hands_back_asks_once_to_wrap_up() -> None:
    """One more call with a message, then no more."""
    worker = sharing(Collector(5, "handback"))
    sent = spend(worker)
    asks = [BUDGET_MESSAGE in str(request["messages"][-1]) for request in worker.sent]
    assert asks == [False] * (sent - 1) + [True]
    assert 5 <= sent <= 6


def test_an_order_to_stop() -> None:
    """Whoever ordered it is named, and its end lets the work go on."""
    collector = Collector(100)
    collector.stops = [Stop("rule loop", "it loops")]
    worker = sharing(collector)
    with pytest.raises(StopOrdered, match="was stopped by rule loop: it loops") as stop:
        worker.call()
    assert (stop.value.by, stop.value.run_id) == ("rule loop", "r1")
    assert worker.sent == []
    collector.stops = []
    spend(sharing(collector), 1)


@pytest.mark.parametrize("action", ["warn", "stop"])
def test_a_collector_that_is_away(action: str, notices: list[Notice]) -> None:
    """The user chose: calls are sent, with one warning, or none is."""
    collector = Collector(3)
    collector.is_away = True
    worker = sharing(collector, FARTHING_ON_BUDGET_UNKNOWN=action)
    for _ in range(10):
        if action == "warn":
            worker.call()
        else:
            with pytest.raises(BudgetUnknown, match="FARTHING_ON_BUDGET_UNKNOWN"):
                worker.call()
    assert len(worker.sent) == (10 if action == "warn" else 0)
    assert [(n.what, n.action) for n in notices] == [("unknown", action)]


@pytest.mark.parametrize("action", ["warn", "stop"])
def test_a_ledger_that_was_not_read_is_an_unknown(
    monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """A collector that cannot say what a run spent leases nothing: the user chose what
    that means. Once it was read the budget holds."""
    monkeypatch.setattr(shared, "PATIENCE_S", 0.2)
    collector = Collector(20)
    collector.book.in_ledger = None
    worker = sharing(collector, FARTHING_ON_BUDGET_UNKNOWN=action)
    if action == "warn":
        worker.call()
    else:
        with pytest.raises(BudgetUnknown):
            worker.call()
    collector.book.counted(collector.book.limit)
    with pytest.raises(BudgetExceeded):
        spend_until_stopped(worker)


def test_one_name_that_cannot_be_told_takes_no_other_budget_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A user's name that is no Unicode, or endless, is left out of what the collector
    is told, which the log says."""
    for odd in ("a\udc80", "x" * 3000):
        limits = SharedLimits({}, wake=lambda **_: None)
        limits.take(replace(RUN, user=odd), Estimate(CENT), anyway=True)
        [subjects] = limits.report().works_for
        assert "user" not in subjects
        assert subjects["team"] == "growth"
    assert "the user of a run is too long, or no Unicode" in caplog.text


def test_a_process_with_very_many_runs_asks_for_the_latest() -> None:
    """A report has its bounds; a run that it left out asks anew with its next call."""
    now_s = [0.0]
    collector = Collector(10**6)
    limits = SharedLimits({}, wake=lambda **_: None, clock=lambda: now_s[0])
    for number in range(MOST_WORKS + 10):
        now_s[0] += 0.001
        limits.take(replace(RUN, id=f"r{number}"), Estimate(CENT), anyway=True)
    report = limits.report()
    latest = {f"r{number}" for number in range(10, MOST_WORKS + 10)}
    assert {subjects["run_id"] for subjects in report.works_for} == latest
    limits.answered(collector(report))
    limits.take(replace(RUN, id="r0"), Estimate(CENT), anyway=True)
    asked_for = {subjects["run_id"] for subjects in limits.report().works_for}
    assert asked_for == latest - {"r10"} | {"r0"}


@pytest.mark.parametrize(
    ("name", "runs", "each"), [("r", 500, 40), ("\N{SNOWMAN}", 500, 3)]
)
def test_a_report_is_never_too_large(name: str, runs: int, each: int) -> None:
    """However many budgets each of many runs has, and however long the names are: runs
    that find no room in it ask at their next call."""
    now_s = [0.0]
    limits = SharedLimits({}, wake=lambda **_: None, clock=lambda: now_s[0])
    long = name * 2_000 if name != "r" else name
    lease = Lease("b", "run", "r", "run", "stop", 10**20, 0, 10**20)
    for _ in range(3):
        for number in range(runs):
            now_s[0] += 0.001
            run = replace(RUN, id=f"r{number}", team=long)
            limits.take(run, Estimate(10**19), anyway=True)
        report = limits.report()
        assert 0 < len(report.works_for) < runs + 1
        assert len(json.dumps(report.to_json())) <= LARGEST_REPORT_BYTES
        keys = [
            [f"{subjects['run_id']:>28}{n:04}" for n in range(each)]
            for subjects in report.works_for
        ]
        leases = {key: lease for some in keys for key in some}
        limits.answered(Answer([Applies(some) for some in keys], leases))


def test_what_is_leased_to_others_is_not_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A collector that answers, and has nothing to lease because others hold it, is not
    away: after the wait the call is not sent, whatever is chosen for the unknown."""
    monkeypatch.setattr(shared, "PATIENCE_S", 0.3)
    collector = Collector(20)
    lent = Use(granted=20 * CENT, wanted=20 * CENT)
    collector.book.report("another process", lent, now_s=0.0)
    worker = sharing(collector, FARTHING_ON_BUDGET_UNKNOWN="warn")
    with pytest.raises(BudgetExceeded):
        worker.call()
    assert worker.sent == []
    assert len(collector.reports) > 1


def test_a_lease_ends_while_the_collector_is_away() -> None:
    """What is in hand may be spent for some seconds, then the collector may have leased
    it to others."""
    now_s = [0.0]
    collector = Collector(1000)
    limits = SharedLimits({}, wake=lambda **_: None, clock=lambda: now_s[0])
    limits.take(RUN, Estimate(CENT), anyway=True)
    limits.answered(collector(limits.report()))
    limits.take(RUN, Estimate(CENT), anyway=True)
    limits.answered(collector(limits.report()))
    limits.failed()
    now_s[0] = shared.FRESH_S
    assert isinstance(limits.take(RUN, Estimate(CENT)), Hold)
    now_s[0] += 1
    assert limits.take(RUN, Estimate(CENT)) == Refusal()
    assert isinstance(limits.take(RUN, Estimate(CENT), anyway=True), Hold)


def test_a_budget_that_was_used_up_stays_so_while_the_collector_is_away() -> None:
    """What is known does not become unknown."""
    collector = Collector(5)
    worker = sharing(collector)
    sent = spend(worker)
    collector.book.counted(collector.book.limit)
    spend(worker, 1)
    collector.is_away = True
    for _ in range(3):
        with pytest.raises(BudgetExceeded):
            worker.call()
    assert len(worker.sent) == sent


def test_a_forked_child_begins_anew() -> None:
    """What the parent spent is not reported again by its children."""
    collector = Collector(100)
    worker = sharing(collector)
    spend(worker, 5)
    parent = collector.reports[-1].process
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            collector.reports.clear()
            os.write(write, json.dumps(_reported(collector, worker)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        process, spent = json.loads(pipe.read())
    assert process != parent
    assert spent == CENT


def _reported(collector: Collector, worker: Agent) -> tuple[str, int]:
    """What is first reported of a call that was settled."""
    worker.call()
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        for report in tuple(collector.reports):
            if KEY in report.uses and report.uses[KEY].spent:
                return report.process, report.uses[KEY].spent
        time.sleep(0.01)
    raise AssertionError(collector.reports)
