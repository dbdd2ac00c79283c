"""Who is told: routes, silences, inhibition, storms, acknowledgement, owners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from farthing.alerts.alert import Notice
from farthing.alerts.noise import Noise, noise
from farthing.alerts.policy import Owner, Policy, Route
from tests.alerts import test_life
from tests.alerts.test_life import RULE, World

SECONDS_30 = timedelta(seconds=30)
NOW_RULE = RULE.model_copy(update={"pending_for": 0, "hold": 0})


@pytest.fixture
def world() -> Iterator[World]:
    """A rule that fires at once; a channel, and a pager for what is critical."""
    made = World({"hot": NOW_RULE})
    yield made
    made.end()


def told(world: World, *, after: timedelta = SECONDS_30) -> list[tuple[str, str, str]]:
    """What a round tells: kind, channel, subject."""
    before = len(world.told)
    world.now += after
    world.evaluate()
    world.deliver()
    return [(n.kind, n.channel, n.alert.subject) for n in world.told[before:]]


def last(world: World) -> Notice:
    return world.told[-1]


def test_is_told_once_and_taken_back_once(world: World) -> None:
    """A trigger when it fires, nothing while it lasts, a resolve at its end."""
    world.values = {"a": 12}
    assert told(world) == [("trigger", "slack", "a")]
    assert told(world) == []
    world.values = {"a": 9}  # between the clear threshold and the threshold
    assert told(world) == []
    world.values = {"a": 7}
    assert told(world) == [("resolve", "slack", "a")]
    assert told(world) == []
    world.values = {"a": 12}
    assert told(world) == [("trigger", "slack", "a")]
    assert len({n.alert.id for n in world.told}) == 2


def test_who_is_added_by_escalation_hears_of_it(world: World) -> None:
    """At a higher level the old channel has an update, the new one a trigger; both hear
    of the end."""
    world.values = {"a": 12}
    told(world)
    world.values = {"a": 25}
    assert told(world) == [("update", "slack", "a"), ("trigger", "pager", "a")]
    assert last(world).alert.severity == "critical"
    world.values = {"a": 0}
    assert sorted(told(world)) == [("resolve", "pager", "a"), ("resolve", "slack", "a")]


def test_is_repeated_until_acknowledged(world: World) -> None:
    """What nobody acknowledged is told again after the repeat interval."""
    world.values = {"a": 12}
    told(world)
    assert told(world, after=timedelta(seconds=300)) == [("update", "slack", "a")]
    [alert_id] = world.file.open_incidents()
    world.file.wish(alert_id, "acknowledge", person="ann")
    assert told(world) == [("acknowledge", "slack", "a")]
    assert (last(world).alert.state, last(world).alert.by) == ("acknowledged", "ann")
    assert told(world, after=timedelta(seconds=900)) == []


def test_a_silence_is_made_up_for(world: World) -> None:
    """Nobody is told while it is silenced; if it still fires after that, they are."""
    until = world.now + timedelta(seconds=100)
    world.file.silence({"rule": ("hot",)}, until=until, made_at=world.now)
    world.values = {"a": 12}
    assert told(world) == []
    [incident] = world.file.open_incidents().values()
    assert "silenced until" in incident.muted
    assert told(world, after=timedelta(seconds=200)) == [("trigger", "slack", "a")]


def test_a_silenced_alert_that_was_told_is_taken_back(world: World) -> None:
    """Who was told hears of the end, silenced or not."""
    world.values = {"a": 12}
    told(world)
    until = world.now + timedelta(hours=1)
    world.file.silence({"severity": ("warning",)}, until=until, made_at=world.now)
    world.values = {"a": 0}
    assert told(world) == [("resolve", "slack", "a")]


def test_a_storm_is_told_as_one(world: World) -> None:
    """Beyond the cap one alert stands for the rest, is updated at each doubling, and
    ends with the last of them."""
    world.values = dict.fromkeys("abcdefgh", 12)
    first = told(world)
    kinds = Counter(kind for kind, _, _ in first)
    assert kinds == {"trigger": 4}  # three and the group of five
    group = next(n.alert for n in world.told if n.alert.members)
    assert len(group.members) == 5
    assert group.title == "5 alerts of hot"
    world.values |= dict.fromkeys("ijklm", 12)
    assert [kind for kind, _, _ in told(world)] == ["update"]
    world.values = dict.fromkeys("abcdefghijklm", 0)
    ended = told(world)
    assert Counter(kind for kind, _, _ in ended) == {"resolve": 4}


def test_a_greater_trouble_covers_smaller_ones(world: World) -> None:
    """While a rule that inhibits fires for the same labels, nobody is told; they are
    when that is over and this is not."""
    by = {"rule": "cold", "equal": ("team",), "severity": "warning"}
    fields = NOW_RULE.model_dump(by_alias=True)
    covered = type(NOW_RULE).model_validate({**fields, "inhibited_by": [by]})
    cold = NOW_RULE.model_copy(update={"name": "cold"})
    world.rules = world.judge.rules = {"cold": cold, "hot": covered}
    rows: Mapping[str, Any] = {"threshold": 10, "value": 12, "team": "growth"}
    cold_rows = [{**rows, "subject": "unit"}]
    hot_rows = [{**rows, "subject": "run"}, {**rows, "subject": "x", "team": "ops"}]

    def ask(_sql: str, _values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return cold_rows if world.now.microsecond else hot_rows

    world.ask = ask  # type: ignore[method-assign]
    world.start()
    world.judge.rules = world.rules

    def round_of(name: str) -> list[tuple[str, str]]:
        before = len(world.told)
        world.now = world.now.replace(microsecond=int(name == "cold"))
        world.now += SECONDS_30
        world.judge.evaluate_rule(world.rules[name])
        world.deliver()
        return [(n.kind, n.alert.subject) for n in world.told[before:]]

    assert round_of("cold") == [("trigger", "unit")]
    assert round_of("hot") == [("trigger", "x")]
    cold_rows[0]["value"] = 0
    assert round_of("cold") == [("resolve", "unit")]
    assert round_of("hot") == [("trigger", "run")]


def test_the_owner_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert names who acts on it, and links to its run."""
    policy = Policy(
        channels={"slack": {}},
        page_url="https://farthing.example.com/",
        owners=(
            Owner(match={"team": ("growth",)}, owner="@growth"),
            Owner(match={"severity": ("*",)}, owner="@everyone"),
        ),
        routes=(Route(match={"team": ("growth", "ops")}, channels=("slack",)),),
    )
    monkeypatch.setattr(test_life, "POLICY", policy)
    row = {"subject": "r/1", "run_id": "r/1", "value": 12, "threshold": 10}
    world.ask = lambda *_: [{**row, "team": "growth"}]  # type: ignore[method-assign]
    world.start()
    world.judge.rules = world.rules
    assert told(world) == [("trigger", "slack", "r/1")]
    alert = last(world).alert
    assert alert.owner == "@growth"
    assert alert.url == "https://farthing.example.com/runs/r%2F1"


def test_what_is_about_no_run_links_to_all_alerts() -> None:
    """A budget, say; without a page there is no link."""
    page = "https://farthing.example.com/"
    about = {"team": "growth"}
    assert Policy(page_url=page).url_of(about) == f"{page}dashboards/alerts"
    assert Policy().url_of(about) == ""


def test_what_is_pending_does_not_stand_before_what_fires() -> None:
    """Of what waits to be told to the ledger a part is told at once, and that is never
    what nobody is to know."""
    world = World()
    world.values = {"old": 12}
    world.evaluate()
    world.values |= {f"n{n}": 12 for n in range(1_100)}
    world.now += SECONDS_30
    world.evaluate()
    assert [i.subject for i in world.judge.publishable()] == ["old"]
    pending = [i for i in world.file.open_incidents().values() if not i.fired_at]
    world.file.save(pending, publish=True)  # as versions before did
    assert [i.subject for i in world.judge.publishable()] == ["old"]
    world.end()


def test_a_removed_rule_ends_its_alerts(world: World) -> None:
    """Alerts of a rule that is no longer there are resolved, and say why."""
    world.values = {"a": 12}
    told(world)
    world.rules = world.judge.rules = {}
    assert told(world) == [("resolve", "slack", "a")]
    assert last(world).alert.why_resolved == "rule removed"


def test_what_a_query_says_twice_is_an_error(world: World) -> None:
    """A query with two rows for a subject, or without a column, changes nothing."""
    world.values = {"a": 12}
    told(world)
    row = {"subject": "a", "value": 0, "threshold": 10}
    for rows in ([row, row], [{"subject": "a", "value": 0}], [{**row, "value": "x"}]):
        world.ask = lambda *_, rows=rows: rows  # type: ignore[method-assign]
        world.judge._sources = type(world.judge._sources)(ask=world.ask)
        assert not world.judge.evaluate_rule(NOW_RULE)
        assert [i.phase for i in world.file.open_incidents().values()] == ["firing"]
    assert world.file.evaluations()["hot"].failures == 3


def test_what_is_long_over_is_forgotten(world: World) -> None:
    """After three months an alert that is over goes, with what was told of it; one that
    is open, or waits to be told, stays."""
    world.values = {"a": 12, "b": 12}
    told(world)
    world.values = {"a": 0, "b": 12}
    told(world)
    world.file.published(world.file.unpublished())
    assert world.file.prune(world.now + timedelta(seconds=1)) == 1
    assert [i.subject for i in world.file.incidents(limit=9)] == ["b"]
    world.values = {"b": 0}
    world.now += SECONDS_30
    world.evaluate()  # the resolve waits
    world.file.published(world.file.unpublished())
    assert world.file.prune(world.now + timedelta(seconds=1)) == 0


def test_noise_is_counted(world: World) -> None:
    """By rule: what fired, messages, what nobody took up, what was over at once."""
    world.values = {"a": 12, "b": 12}
    since = world.now
    told(world)
    alerts = {i.subject: i.id for i in world.file.open_incidents().values()}
    world.file.wish(alerts["b"], "acknowledge", person="ann")
    world.values = {"a": 0, "b": 12}
    told(world)
    world.values = {"b": 0}
    told(world, after=timedelta(hours=1))
    [found] = noise(world.file.incidents(limit=9), since=since)
    assert found == Noise("hot", fired=2, untaken=1, short=1, muted=0, messages=5)
    assert noise(world.file.incidents(limit=9), since=world.now) == []


@pytest.mark.parametrize(
    ("runbook", "docs_url", "link"),
    [
        ("docs/alerts.md#loop", "", "docs/alerts.md#loop"),
        (
            "docs/alerts.md#loop",
            "https://git.example.com/farthing/",
            "https://git.example.com/farthing/docs/alerts.md#loop",
        ),
        ("https://wiki/x", "https://git.example.com", "https://wiki/x"),
        ("", "https://git.example.com", ""),
    ],
)
def test_runbooks_lead_to_where_they_are_read(
    runbook: str, docs_url: str, link: str
) -> None:
    """A path leads nowhere: the settings say where the documentation is."""
    rule = RULE.model_copy(update={"runbook": runbook})
    assert Policy(docs_url=docs_url).runbook_of(rule) == link
