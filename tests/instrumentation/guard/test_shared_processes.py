"""Budgets that processes share: real agents, a real collector, a provider's bill."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from farthing.collector.demo.providers import Providers, serving
from tests.cli.farthing_process import Up, answer, farthing, up
from tests.instrumentation.guard.test_real_agent import billed_usd
from tests.instrumentation.sink import BIN, environment

AGENT = str(Path(__file__).with_name("team_agent.py"))
TEAM_MONTH = ("--window", "month", "--action", "stop", "--of", "team", "--who")


@pytest.fixture(scope="module")
def providers() -> Iterator[Providers]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("shared") / "data") as found:
        yield found


def declare(collector: Up, name: str, *words: str) -> None:
    """A budget while the collector runs, which follows within seconds."""
    told = farthing("budgets", "set", name, *words, "--data", collector.data_dir)
    assert told.returncode == 0, told.stderr
    until(lambda: name in [b["name"] for b in served(collector)["declared"]])


def served(collector: Up) -> Any:
    """What the collector tells programs of budgets."""
    try:
        with urlopen(f"{collector.running.http_url}/v1/budgets") as answer:
            return json.load(answer)
    except HTTPError:
        return {"declared": [], "used": []}


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that comes within seconds."""
    deadline_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def started(
    collector: Up, providers: Providers, *arguments: str, **extra: str
) -> subprocess.Popen[str]:
    """Agents that wait for their line."""
    env = environment(
        collector.running.http_url,
        PROVIDERS=providers.url,
        FARTHING_BUDGETS="collector",
        **extra,
    )
    return subprocess.Popen(
        [str(BIN / "opentelemetry-instrument"), sys.executable, AGENT, *arguments],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready(process: subprocess.Popen[str]) -> None:
    """Wait until agents have started, which takes a busy machine seconds."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def begin(process: subprocess.Popen[str]) -> None:
    """Give agents their line."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def results(process: subprocess.Popen[str]) -> list[tuple[str, int]]:
    """How the agents of a process ended, and after how many calls."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return [(end, made) for end, made in json.loads(out)]


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[str, int]]:
    """Let agents run at the same time, to their end: all have started by then."""
    for process in processes:
        ready(process)
    for process in processes:
        begin(process)
    return [each for process in processes for each in results(process)]


def spent_usd(collector: Up, budget: str) -> Decimal:
    """What the ledger counts of a budget."""
    lines = [line for line in served(collector)["used"] if line["budget"] == budget]
    return sum((Decimal(line["spent_usd"]) for line in lines), Decimal(0))


def stopped(collector: Up, *words: str) -> str:
    """The id of an order to stop."""
    [order] = answer("budgets", "stop", *words, "--data", collector.data_dir)
    return str(order["id"])


def test_eight_agents_in_two_processes_stop_at_their_teams_budget(
    collector: Up, providers: Providers
) -> None:
    """The provider's bill is within one call of each agent of the limit, and the ledger
    says the same. An agent of another team goes on."""
    providers.bill.clear()
    declare(collector, "growth", *TEAM_MONTH, "growth", "--limit", "0.50")
    team = [
        started(collector, providers, "4", "200", FARTHING_TEAM="growth")
        for _ in range(2)
    ]
    ends = ended(team)
    costs = billed_usd(providers.bill)
    assert [end.partition(":")[0] for end, _ in ends] == ["BudgetExceeded"] * 8
    assert "budget growth of team growth for this month" in ends[0][0]
    assert abs(sum(costs) - Decimal("0.50")) <= 8 * max(costs)
    assert all(made for _, made in ends)
    until(lambda: spent_usd(collector, "growth") == sum(costs))
    other = started(collector, providers, "1", "3", FARTHING_TEAM="platform")
    assert ended([other]) == [("done", 3)]


def test_agents_in_two_processes_pass_it_by_one_call_at_most(
    collector: Up, providers: Providers
) -> None:
    """Where no request bounds its output either; the budget is used all the same."""
    providers.bill.clear()
    declare(collector, "open", *TEAM_MONTH, "open", "--limit", "0.20")
    ends = ended(
        [
            started(
                collector,
                providers,
                *("4", "200"),
                FARTHING_TEAM="open",
                UNBOUNDED="yes",
            )
            for _ in range(2)
        ]
    )
    costs = billed_usd(providers.bill)
    assert [end.partition(":")[0] for end, _ in ends] == ["BudgetExceeded"] * 8
    assert sum(costs) <= Decimal("0.20") + max(costs)
    assert costs


def test_an_order_to_stop_reaches_an_agent_that_runs(
    collector: Up, providers: Providers
) -> None:
    """`farthing budgets stop` ends a running agent before its next call, and says who
    ordered it and why; after `resume` the same work goes on."""
    providers.bill.clear()
    agents = started(
        collector,
        providers,
        "1",
        "100000",
        FARTHING_TASK_TYPE="report",
        WORD="#slow=0.1",
    )
    ready(agents)
    begin(agents)
    until(lambda: len(providers.bill.items) > 3)
    words = ("task_type=report", "--by", "ann", "--reason", "too dear")
    order = stopped(collector, *words)
    [(end, made)] = results(agents)
    assert end.startswith("StopOrdered: this process (report) was stopped by ann: too")
    assert made == len(providers.bill.items)
    again = started(collector, providers, "1", "2", FARTHING_TASK_TYPE="report")
    assert ended([again])[0][0].startswith("StopOrdered")
    told = farthing("budgets", "resume", order, "--data", collector.data_dir)
    assert told.returncode == 0, told.stderr
    until(lambda: ended([started(collector, providers, "1", "2")]) == [("done", 2)])


def test_a_rule_that_stops_reaches_an_agent_that_runs(
    tmp_path: Path, providers: Providers
) -> None:
    """A rule with `action: stop` that fires about a run ends it before its next call,
    and is named with its alert's title; another run goes on."""
    providers.bill.clear()
    rules = tmp_path / "alerts.yaml"
    rules.write_text(
        "rules: {step-tokens: {action: stop, every: 1, parameters: {limit_tokens: 9}}}"
    )
    settings = {"FARTHING_ALERTS_FILE": str(rules)}
    with up(tmp_path / "data", env=settings) as collector:
        until(lambda: served(collector)["used"] is not None)
        run = {"FARTHING_TASK_TYPE": "report", "FARTHING_TASK_ID": "report-1"}
        agents = started(collector, providers, "1", "100000", WORD="#slow=0.1", **run)
        ready(agents)
        begin(agents)
        [(end, made)] = results(agents)
        assert end.startswith(
            "StopOrdered: run report-1 (report) was stopped by rule step-tokens:"
            " report report-1: a call of "
        )
        assert made == len(providers.bill.items) > 0
        run["FARTHING_TASK_ID"] = "report-2"
        other = started(collector, providers, "1", "1", **run)
        assert ended([other]) == [("done", 1)]


def test_a_run_goes_on_where_it_was_though_the_collector_was_restarted(
    tmp_path: Path, providers: Providers
) -> None:
    """What a run spent before the collector knew of it counts from its first call on: a
    process that goes on with it is stopped there."""
    providers.bill.clear()
    declared = tmp_path / "budgets.yaml"
    declared.write_text(
        "budgets: [{name: any, of: run, window: run, limit_usd: 0.03, action: stop}]"
    )
    settings = {"FARTHING_BUDGETS_FILE": str(declared)}
    run = {"FARTHING_TASK_ID": "report-1", "FARTHING_ON_BUDGET_UNKNOWN": "stop"}
    ends = []
    for _ in range(2):
        with up(tmp_path / "data", env=settings) as collector:
            until(partial(knows_budgets, collector))
            ends += ended([started(collector, providers, "1", "100", **run)])
            spent = sum(billed_usd(providers.bill), Decimal(0))
            until(partial(knows_spent, collector, spent))
    assert [end.partition(":")[0] for end, _ in ends] == ["BudgetExceeded"] * 2
    assert ends[0][1] > 1
    assert ends[1][1] == 0


def knows_budgets(collector: Up) -> bool:
    """Whether a collector that was started has read its budgets."""
    return bool(served(collector)["declared"])


def knows_spent(collector: Up, usd: Decimal) -> bool:
    """Whether the ledger counts so much of all runs."""
    query = quote("SELECT ifNull(sum(cost_usd), 0) FROM spans")
    with urlopen(f"{collector.running.web_url}/?query={query}") as told:
        return Decimal(told.read().decode()) == usd
