"""What is told: everything that a person needs, whatever it holds, within all sizes."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farthing.alerts.alert import SEVERITIES, Alert
from farthing.alerts.channels.pagerduty import event_of
from farthing.alerts.message import message_of
from farthing.alerts.message_prometheus import annotations_of, labels_of
from farthing.alerts.message_slack import slack_message, slack_reply
from farthing.collector.demo.pagers.pagerduty import problems
from farthing.collector.demo.pagers.slack import problem
from tests.alerts.delivery.notices import NOW, alert, notice

AWKWARD = ["&" * 5_000, "<!channel>" * 400, "<https://evil.example|ok>", "é" * 3_000]
texts = st.text(max_size=60) | st.sampled_from(AWKWARD)
amounts = st.decimals(0, 10**9, places=6)
kinds = st.sampled_from(["trigger", "update", "acknowledge", "resolve"])
labels = st.dictionaries(
    st.sampled_from(["run_id", "task_type", "team", "user", "a-b", "9"]), texts
)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    """Alerts with whatever people and programs write into names."""
    given_: dict[str, Any] = {
        name: draw(texts)
        for name in ("subject", "title", "summary", "owner", "runbook", "by", "rule")
    }
    given_ |= {name: draw(amounts) for name in ("value", "peak", "threshold")}
    return alert(
        **given_,
        labels=draw(labels),
        members=tuple(draw(st.lists(texts, max_size=30))),
        url=draw(st.just("") | texts.map("https://farthing.example/{}".format)),
        severity=draw(st.sampled_from(SEVERITIES)),
        burn_usd_per_hour=draw(st.none() | amounts),
    )


@given(alerts(), kinds)
def test_slack_takes_every_alert(one: Alert, kind: Any) -> None:
    """Whatever an alert holds, the message and the reply keep Slack's sizes, and no
    text of it becomes a mention or a link of its own."""
    told = notice(kind, of=one)
    message = slack_message(told)
    assert problem(message) == ""
    assert problem(slack_reply(told)) == ""
    assert "<!channel>" not in json.dumps([message, slack_reply(told)])
    assert "<https://evil" not in json.dumps(message)


@given(alerts(), kinds)
def test_pagerduty_takes_every_alert(one: Alert, kind: Any) -> None:
    """The same of PagerDuty's checks."""
    event = {"routing_key": "0" * 32} | event_of(notice(kind, of=one))
    assert list(problems(event)) == []
    assert len(json.dumps(event)) < 512 * 1024


@given(alerts(), kinds)
def test_labels_have_names_that_prometheus_takes(one: Alert, kind: Any) -> None:
    """Names are [a-zA-Z_][a-zA-Z0-9_]*, values are not empty."""
    named = labels_of(one) | annotations_of(notice(kind, of=one))
    assert all(name.isidentifier() and name.isascii() for name in named)
    assert all(named.values())


def test_what_grows_when_it_is_escaped_is_cut_all_the_same() -> None:
    """Slack counts what is sent: a message full of `&` is as long as any other."""
    full = "&" * 5_000
    told = dict.fromkeys(("title", "summary", "owner", "by", "rule"), full)
    worst = notice(of=alert(**told, labels=dict.fromkeys(alert().labels, full)))
    assert problem(slack_message(worst)) == ""
    assert problem(slack_reply(worst)) == ""


def test_a_person_is_told_what_to_act_on() -> None:
    """The whole text of a firing alert."""
    assert message_of(notice()).text() == (
        "WARNING: run-17 costs 4.2x the median of code-review\n"
        "$1.26 against a median of $0.30; it reads one file over and over.\n"
        "Owner: @growth-oncall\n"
        "Value: 4.2x (alert from 3.0x)\n"
        "Since: 2026-11-25 11:53:00 UTC (7 min before this)\n"
        "Burns: $10.80 per hour\n"
        "Cost so far: $1.26\n"
        "Run: run-17\n"
        "Task type: code-review\n"
        "Business unit: platform\n"
        "Team: growth\n"
        "User: ada\n"
        "Rule: run-cost\n"
        "Look at it: https://farthing.example/runs/run-17\n"
        "Runbook: docs/alerts.md"
    )


def test_a_resolve_says_what_it_came_to() -> None:
    """How long, the worst, the cost and why it is over."""
    ended = alert(
        at=NOW + timedelta(minutes=20),
        peak=Decimal(9),
        why_resolved="ended",
        lower_bound=True,
    )
    facts = {
        fact.name: fact.value for fact in message_of(notice("resolve", of=ended)).facts
    }
    assert facts["Lasted"] == "27 min"
    assert facts["Worst"] == "≥ 9.0x"
    assert facts["Cost"] == "≥ $1.26"
    assert facts["Why"] == "ended"
    assert "Burns" not in facts


def test_a_group_names_ten_of_its_members() -> None:
    """Seventeen runs are ten names and a number."""
    runs = tuple(f"run-{n}" for n in range(17))
    facts = {f.name: f.value for f in message_of(notice(of=alert(members=runs))).facts}
    assert facts["Concerns"].endswith("run-9 and 7 more")


def test_what_has_no_limit_names_none() -> None:
    """A loop is wrong whatever it costs."""
    told = message_of(notice(of=alert(threshold=Decimal(0), value=Decimal("4.2"))))
    [value] = [fact.value for fact in told.facts if fact.name == "Value"]
    assert value == "4.2x"
