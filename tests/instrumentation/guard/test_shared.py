"""Shared budgets in one process: a collector that answers, one that is away, slow, or
talks nonsense."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from farthing.alerts.lease_book import LeaseAccount
from farthing.economics.budgets import Estimate
from farthing.economics.leases import Answer, Applies, Lease, Report, Stop, Use
from farthing.errors import BudgetExceeded, BudgetUnknown, StopOrdered
from farthing.instrumentation.guard import shared
from farthing.instrumentation.guard.link import Asking, CollectorAway, Link
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
        self.book = LeaseAccount(cents * CENT)
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
    collector.book.counted(collector.book.limit, now_s=0.0)
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


@contextmanager
def answering(reply: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server on the loopback that replies so to every POST; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/budgets"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(status: int, body: bytes, **headers: str) -> Callable[[Any], None]:
    """A reply."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


NONSENSE = [
    (200, b"<html>"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"applies": [{"budgets": ["x"], "stops": []}], "leases": {}}'),
    (200, b'{"applies": [], "leases": {"x": {"limit": "much"}}}'),
    (200, b"[" * 100_000),
    (503, b"not known yet"),
    (401, b"no"),
]


@pytest.mark.parametrize(("status", "body"), NONSENSE)
def test_nonsense_is_no_answer(status: int, body: bytes) -> None:
    """An agent goes on: nobody knows what is left."""
    with answering(saying(status, body)) as url:
        worker = sharing(Asking(url, {}))
        assert spend(worker, 5) == 5


def test_a_redirect_does_not_get_the_token() -> None:
    """The header that authorizes is sent to the collector alone."""
    seen: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("authorization", ""))
        saying(200, b"{}")(handler)

    with answering(elsewhere) as other:
        reply = saying(302, b"", location=other)
        with answering(reply) as url:
            ask = Asking(url, {"authorization": "Bearer secret"})
            with pytest.raises(CollectorAway, match="302"):
                ask(Report("p"))
    assert seen == []


def test_a_collector_that_hangs_is_waited_for_once() -> None:
    """The first call waits for an answer, those after it do not."""
    ends = threading.Event()

    def hang(_: object) -> None:
        ends.wait(20)

    with answering(hang) as url:
        worker = sharing(Asking(url, {}))
        assert spend(worker, 200) == 200
        ends.set()


def test_reports_and_answers_of_strangers() -> None:
    """Either side refuses what is not of its form."""
    good = Report("p", [{"team": "growth"}], {KEY: Use(1, 2, 3)})
    assert Report.from_json(good.to_json()) == good
    for wrong in (
        None,
        {},
        {**good.to_json(), "process": ""},
        {**good.to_json(), "uses": {KEY: {"spent": 1}}},
        {**good.to_json(), "works_for": [{"team": 3}]},
        replace(good, uses={KEY: Use(spent=-1)}).to_json(),
    ):
        with pytest.raises(ValueError, match=r"must|below zero"):
            Report.from_json(wrong)
