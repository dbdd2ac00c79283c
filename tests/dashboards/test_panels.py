"""Every panel's SQL on the real engine."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import pytest

from farthing.collector.demo.incidents import LOOP_RUN_ID, RUNAWAY_RUN_ID
from farthing.collector.report.spend import spend
from farthing.collector.store.client import Store
from farthing.collector.store.ledger import Ledger
from farthing.dashboards.catalogue import (
    DASHBOARDS,
    RUN_VARIABLE,
    VARIABLES,
    WIDTH,
    panels,
    with_usual,
)
from farthing.dashboards.macros import View, expanded
from farthing.dashboards.panel import Panel
from farthing.dashboards.theme import PAGE
from tests.demo_week import NOW
from tests.page.ledgers import call
from tests.store.otlp import request

DAY: Final = View(NOW - timedelta(days=1), NOW)
WEEK: Final = View(NOW - timedelta(days=7), NOW, {"run": (LOOP_RUN_ID,)})
CHOSEN: Final = View(
    NOW - timedelta(days=7),
    NOW,
    {
        "run": (LOOP_RUN_ID,),
        "business_unit": ("platform", "finance"),
        "task_type": ("code-review", "it's \\ none", "(none)"),
        "agent": ("pr-reviewer", "test-runner"),
        "model": ("claude-sonnet-4-5",),
        "environment": ("production",),
    },
)
TYPES: Final = {
    "usd": r"(Nullable\()?Decimal\(38, \d+\)\)?",
    "tokens": r"(Nullable\()?U?Int(64|128)\)?",
    "count": r"(Nullable\()?U?Int(8|32|64)\)?",
    "share": r"(Nullable\()?Float64\)?",
    "ratio": r"(Nullable\()?Float64\)?",
    "seconds": r"(Nullable\()?Float64\)?",
    "bytes": r"UInt64",
    "time": r"(Nullable\()?DateTime(64)?\((6, )?'UTC'\)\)?",
    "text": r"(LowCardinality\()?(Nullable\()?String\)*",
    "flag": r"Bool",
    "sparkline": r"Array\(Int64\)",
}
PANELS: Final = panels()
PREFIX: Final = "farthing.fingerprint.prefix_hash"
each_panel = pytest.mark.parametrize("name", PANELS)


def sql(panel: Panel, view: View) -> str:
    return expanded(panel.text, view, hourly=panel.hourly)


def answer(store: Store, name: str, view: View = WEEK) -> list[dict[str, Any]]:
    return store.rows(sql(PANELS[name], view))


@each_panel
def test_columns_are_what_the_panel_says(empty_store: Store, name: str) -> None:
    """The answer has the columns that are declared, in this order, of types that suit
    their units; money is never a float."""
    told = empty_store.rows(f"DESCRIBE TABLE ({sql(PANELS[name], WEEK)})")
    assert [row["name"] for row in told] == [c.name for c in PANELS[name].columns]
    wrong = [
        (row["name"], row["type"], column.unit)
        for row, column in zip(told, PANELS[name].columns, strict=True)
        if not re.fullmatch(TYPES[column.unit], row["type"])
    ]
    assert wrong == []


@each_panel
def test_no_two_columns_look_alike(name: str) -> None:
    """Each has a heading of its own, but for what is told of a value before it."""
    headings = [column.heading for column in PANELS[name].columns]
    repeated = {heading for heading in headings if headings.count(heading) > 1}
    assert repeated <= ({"vs median"} if name == "run_summary" else set())


@each_panel
def test_an_empty_ledger(empty_store: Store, name: str) -> None:
    """Over nothing a stat has one row at most, and every other panel none."""
    rows = answer(empty_store, name)
    if PANELS[name].chart == "stat":
        assert len(rows) <= 1
    elif name != "storage":
        assert rows == []


@each_panel
def test_the_demo(demo_store: Store, name: str) -> None:
    """Over the demo's week every panel has an answer, but for what the demo lacks."""
    assert answer(demo_store, name) or name in {
        "corrections",  # and tells nothing twice
        "arrivals", "lag",  # and was loaded today, not in its week
    }  # fmt: skip


@each_panel
def test_every_variable_chosen(demo_store: Store, name: str) -> None:
    """With every variable chosen, hostile values too, the SQL still runs."""
    answer(demo_store, name, CHOSEN)


@each_panel
def test_it_depends_on_the_range(name: str) -> None:
    """A panel asks about the range of time, or says that it does not."""
    asks = re.search(r"\$__(timeFilter|fromTime|toTime)", PANELS[name].text)
    assert bool(asks) != PANELS[name].timeless


@each_panel
def test_the_shape_suits_the_chart(name: str) -> None:
    """Over time: time, series, value. By turn: the turn first. Bars: a name first."""
    units = [column.unit for column in PANELS[name].columns]
    names = [column.name for column in PANELS[name].columns]
    chart = PANELS[name].chart
    if chart.startswith("time"):
        assert names[:2] == ["time", "series"]
        assert len(names) == 3
    if chart.startswith("turn"):
        assert names[0] == "turn"
    if chart == "bars":
        assert units[0] == "text"
    assert PANELS[name].question.endswith("?")


@each_panel
def test_money_says_what_it_leaves_out(name: str) -> None:
    """A total of money has the number of calls beside it whose cost it lacks, or marks
    its series, or the panel's text says that they are not in it."""
    panel = PANELS[name]
    if not any(c.unit == "usd" for c in panel.columns) or panel.chart == "turn_bars":
        return
    told = {c.name for c in panel.columns} & {
        "unpriced_calls",
        "unknown_calls",
        "state",
    }
    words = re.search("≥|known|priced|price list|estimate", panel.description)
    assert told or words or name in {
        # Costs of single runs, episodes or calls, each with its own state elsewhere.
        "run_total", "run_drivers", "run_marks", "turns_per_run", "turns_and_cost",
        "waste_by_kind", "corrections", "unattributed", "cache_gaps", "prices_in_force",
        "alert_history", "alert_rules",
    }  # fmt: skip


def test_the_total_is_that_of_the_report(demo_store: Store) -> None:
    """Overview, chargeback, models and units say what `farthing report` says."""
    total = spend(demo_store, by="model", since=NOW - timedelta(days=7), now=NOW).total
    [stat] = answer(demo_store, "spend")
    assert stat["cost_usd"] == total.cost_usd
    assert stat["unpriced_calls"] == total.unpriced_calls + total.partial_calls
    for name in ("spend_by_model", "spend_by_task", "spend_by_unit", "chargeback"):
        rows = answer(demo_store, name)
        assert sum(row["cost_usd"] or 0 for row in rows) == total.cost_usd, name


def test_unknown_is_never_zero(demo_store: Store) -> None:
    """A model without a price has no cost, rather than none to pay, and is marked."""
    bars = answer(demo_store, "spend_by_model")
    unknown = {row["series"] for row in bars if row["cost_usd"] is None}
    assert unknown
    assert all(series.startswith("≥ ") for series in unknown)
    table = answer(demo_store, "models_by_task")
    [local] = [r for r in table if r["model"] == "acme-local-coder-30b"]
    assert local["cost_usd"] is None
    assert local["unpriced_calls"] == local["calls"] > 0


def test_direct_and_inclusive_costs_add_up(demo_store: Store) -> None:
    """Each dollar is spent by one agent and belongs to one that began the run."""
    rows = answer(demo_store, "direct_inclusive")
    direct, inclusive = (
        sum((row[column] for row in rows), Decimal(0))
        for column in ("direct_usd", "inclusive_usd")
    )
    assert direct == inclusive > 0
    helper = next(row for row in rows if row["agent"] == "test-runner")
    assert helper["direct_usd"] > 0 == helper["inclusive_usd"]


def test_the_incidents_are_seen(demo_store: Store) -> None:
    """The two dearest runs are the demo's runaway and its loop, each with its verdict,
    and the loop's run says at which turns."""
    first = answer(demo_store, "dearest_runs")[:2]
    assert {row["run_id"]: row["verdict"] for row in first} == {
        RUNAWAY_RUN_ID: "runaway",
        LOOP_RUN_ID: "loop",
    }
    [loop] = [m for m in answer(demo_store, "run_marks") if m["what"] == "loop"]
    [found] = demo_store.rows("SELECT calls FROM findings FINAL WHERE kind = 'loop'")
    assert loop["until_turn"] - loop["turn"] + 1 == found["calls"] > 20
    [waste] = answer(demo_store, "waste")
    assert waste["cost_usd"] == loop["cost_usd"] > 0


def test_one_run_is_the_same_everywhere(demo_store: Store) -> None:
    """A run's summary, turns, drivers and steps have one cost, and as many calls."""
    [run] = answer(demo_store, "run_summary")
    turns = answer(demo_store, "run_cost")
    assert run["cost_usd"] == sum(turn["cost_usd"] for turn in turns)
    assert run["turns"] == len(turns)
    assert run["cost_usd"] == answer(demo_store, "run_total")[-1]["total_usd"]
    for name in ("run_drivers", "run_steps"):
        costs = (row["cost_usd"] or 0 for row in answer(demo_store, name))
        assert sum(costs) == run["cost_usd"], name


def test_runs_of_unknown_cost_are_runs(demo_store: Store) -> None:
    """What is usual for a run counts the runs of which nothing is priced, and their
    calls, as the table of tasks does: so a lower bound is one."""
    [row] = answer(demo_store, "cost_per_run")
    kinds = answer(demo_store, "task_types")
    assert row["runs"] == sum(kind["runs"] for kind in kinds)
    assert row["unpriced_calls"] == sum(kind["unpriced_calls"] for kind in kinds) > 0
    known = sorted(run["cost_usd"] or 0 for run in answer(demo_store, "runs"))
    assert known[0] == 0 < row["median_usd"] < row["p95_usd"]


def test_a_name_is_not_taken_for_the_rest(empty_ledger: Ledger) -> None:
    """A kind of task that is called `others` is not added to those that are too many
    to be shown; one that is called as the rest is belongs to it, however dear."""
    names = ["others", *(f"kind {number}" for number in range(12))]
    of_many = [call(run=name, tags=name, tokens=9000) for name in names[:8]]
    more = (call(run=name, tags=name) for name in names[8:])
    rest = (call(run=f"r{n}", tags="(others)") for n in range(5))
    empty_ledger.load("all", [request([*of_many, *more, *rest])])
    told = answer(empty_ledger.store, "spend_by_task", DAY)
    costs = {row["series"]: row["cost_usd"] for row in told}
    assert len(costs) == 9
    assert costs["others"] == costs["kind 0"] != costs["(others)"]
    assert (
        sum(costs.values()) == answer(empty_ledger.store, "spend", DAY)[0]["cost_usd"]
    )


def test_of_many_services_some_are_shown(empty_ledger: Ledger) -> None:
    """Spans that arrive are told of the services that sent most and of all others
    together, as many as there are hues; none is left out."""
    sent = {f"service {number}": 12 - number for number in range(11)}
    spans = [
        replace(call(run=service), resource={"service.name": service})
        for service, times in sent.items()
        for _ in range(times)
    ]
    empty_ledger.load("all", [request(spans)])
    now = datetime.now(UTC)
    lately = View(now - timedelta(hours=1), now + timedelta(hours=1))
    told = {
        r["series"]: r["spans"] for r in answer(empty_ledger.store, "arrivals", lately)
    }
    assert told == dict(islice(sent.items(), 8)) | {"(others)": 4 + 3 + 2}


def test_few_runs_are_no_baseline(demo_store: Store) -> None:
    """A median is compared with that of at least 20 runs before, or with nothing."""
    kinds = answer(demo_store, "task_types")
    assert kinds
    assert {kind["change"] for kind in kinds} == {None}


def test_an_outcome_pays_for_the_runs_without_one(demo_store: Store) -> None:
    """An outcome costs what all runs of its kind cost, by how often it was achieved."""
    rows = {row["outcome"]: row for row in answer(demo_store, "cost_per_outcome")}
    assert set(rows) == {"pr_merged", "ticket_resolved", "invoice_posted"}
    kinds = {r["task_type"]: r for r in answer(demo_store, "task_types")}
    merged, reviews = rows["pr_merged"], kinds["code-review"]
    assert merged["cost_usd"] == reviews["cost_usd"]
    assert merged["outcomes"] == merged["runs"] < merged["of_runs"] == reviews["runs"]
    of_one = merged["cost_usd"] / merged["outcomes"]
    assert merged["per_outcome_usd"] == pytest.approx(of_one)


def test_alerts_that_are_open_and_those_that_were(demo_store: Store) -> None:
    """An open alert is shown with value and threshold, ≥ where it is a lower bound; a
    rule with how often it fired, how long it lasted and how much of it was noise."""
    [alert] = answer(demo_store, "alerts_open")
    assert (alert["value"], alert["threshold"]) == ("≥ 5.5×", "5.0×")  # noqa: RUF001
    assert alert["cost_usd"] is None
    rules = {row["rule"]: row for row in answer(demo_store, "alert_rules")}
    assert rules["loop"]["median_s"] == 200
    assert (rules["loop"]["short"], rules["loop"]["untouched"]) == (1, 1)
    assert rules["run-cost"]["median_s"] is None
    assert rules["run-cost"]["open"] == 1
    newest, oldest = answer(demo_store, "alert_history")
    assert newest["resolved_at"] is None
    assert oldest["channels"] == "slack, pagerduty"


def test_the_cache_pays(demo_store: Store) -> None:
    """What is saved less what is paid is the net, by agent as in all."""
    [total] = answer(demo_store, "cache_savings")
    rows = answer(demo_store, "cache_balance")
    assert total["net_usd"] == total["saved_usd"] - total["paid_usd"] > 0
    assert sum(row["net_usd"] for row in rows) == total["net_usd"]
    report = spend(demo_store, by="model", since=WEEK.since, now=NOW).total
    assert total["hit_rate"] == pytest.approx(report.cache_hit_rate)
    assert total["before_rate"] is None
    [day] = answer(demo_store, "cache_savings", DAY)
    assert 0 < day["before_rate"] < 1


def test_the_share_off_the_bill_is_of_the_bill_of_the_range(demo_store: Store) -> None:
    """Of the same whole hours as what was saved."""
    view = View(NOW - timedelta(minutes=75), NOW)
    [total] = answer(demo_store, "cache_savings", view)
    bill = "SELECT sum(cost_usd) AS usd FROM spans WHERE price_row != 0 AND time"
    since = "toStartOfHour(toDateTime($__fromTime, 'UTC'))"
    hours = f">= {since} AND time <= $__toTime"
    [spent] = demo_store.rows(expanded(f"{bill} {hours}", view))
    net_usd = total["net_usd"]
    share = float(net_usd) / float(net_usd + spent["usd"])
    assert total["saved_share"] == pytest.approx(share)


@pytest.mark.parametrize("variable", [*VARIABLES, RUN_VARIABLE], ids=lambda v: v.name)
def test_variables_offer_what_there_is(demo_store: Store, variable: Any) -> None:
    """A variable offers values with labels, and each one chosen changes an answer."""
    offered = demo_store.rows(expanded(variable.sql, WEEK))
    assert offered
    assert all(set(row) == {"value", "label"} for row in offered)
    chosen = View(WEEK.since, WEEK.until, {variable.name: (offered[0]["value"],)})
    name = "run_cost" if variable is RUN_VARIABLE else "spend"
    assert answer(demo_store, name, chosen)


def test_the_grid() -> None:
    """Rows fill the grid, every panel is on a dashboard or drawn on one that is, every
    link leads to one."""
    placed = {n for board in DASHBOARDS for n in with_usual(board.panels)}
    assert placed == set(PANELS)
    for board in DASHBOARDS:
        assert len(set(board.panels)) == len(board.panels)
        for row in board.rows:
            assert sum(width for _, width in row.panels) == WIDTH
    boards = {board.id for board in DASHBOARDS}
    names = {variable.name for variable in (*VARIABLES, RUN_VARIABLE)}
    links = [c.link for p in PANELS.values() for c in p.columns if c.link]
    assert all(link.dashboard in boards and link.variable in names for link in links)


def test_a_prompt_that_begins_anew_is_seen(demo_store: Store) -> None:
    """An agent whose instructions begin with the time has many beginnings, of which
    each is a cache of its own; the others have one."""
    most: dict[str, int] = {}
    for row in answer(demo_store, "prefix_churn"):
        most[row["series"]] = max(row["prefixes"], most.get(row["series"], 0))
    assert most.pop("summariser") > 3
    assert set(most.values()) == {1}


def test_of_many_agents_those_that_begin_most_are_drawn(empty_ledger: Ledger) -> None:
    """There are no more than hues, and the one that breaks its prefix is among them."""
    agents = [*(f"agent {number}" for number in range(12)), *["breaks"] * 3]
    spans = (call(run="a", tags=agent) for agent in agents)
    told = [
        replace(one, attributes={**one.attributes, PREFIX: f"prefix {at}"})
        for at, one in enumerate(spans)
    ]
    empty_ledger.load("all", [request(told)])
    rows = answer(empty_ledger.store, "prefix_churn", DAY)
    drawn = {row["series"]: row["prefixes"] for row in rows}
    assert len(drawn) == len(PAGE.series) - 1
    assert drawn["breaks"] == 3
