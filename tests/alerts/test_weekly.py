"""The weekly report of noise, by an injected clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farthing.alerts.alert import Notice
from farthing.alerts.file import AlertFile
from farthing.alerts.message_slack import slack_message
from farthing.alerts.outbox import SqliteOutbox
from farthing.alerts.policy import Policy, read_policy
from farthing.alerts.weekly import WeeklyReport
from farthing.errors import ConfigError
from tests.alerts.test_life import World

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = Policy(
    channels={"chat": {"type": "console"}},
    page_url="http://page.example",
    weekly_report="chat",
)


def told(file: AlertFile) -> list[Notice]:
    """What waits to be told."""
    return list(SqliteOutbox(file).due(MONDAY + timedelta(days=400)))


def test_it_is_told_once_a_week(file: AlertFile) -> None:
    """On Monday at eight, and not again by a collector that is started anew; one that
    was away on Monday leaves it out."""
    at = [MONDAY - HOUR, MONDAY, MONDAY + HOUR, MONDAY + 30 * HOUR]
    seen = []
    for now in at:
        WeeklyReport(file, POLICY).look(now)
        seen.append(len(told(file)))
    assert seen == [0, 1, 1, 1]
    report = WeeklyReport(file, POLICY)
    for days in (7, 7.1, 15.5):
        report.look(MONDAY + timedelta(days=days))
    assert [n.alert.at for n in told(file)] == [MONDAY, MONDAY + timedelta(days=7)]


def test_it_says_which_rules_cried_wolf() -> None:
    """What fired in the week, of each rule, and nothing of before or after."""
    world = World()
    for days in (-8, -1, 0.01):
        world.now = MONDAY + timedelta(days=days)
        for value in (12, 12, 0, 0):
            world.values = {"a": value}
            world.evaluate()
            world.now += timedelta(seconds=30)
    world.deliver()
    WeeklyReport(world.file, POLICY).look(MONDAY + HOUR)
    [notice] = told(world.file)
    alert = notice.alert
    assert (notice.channel, alert.severity) == ("chat", "info")
    assert alert.title == "Alerts of the last week: 1; messages: 2"
    assert alert.summary == (
        "hot: fired 1, messages 2, acknowledged by nobody 1, over in 5 minutes 1,"
        " told to nobody 0"
    )
    assert alert.url == "http://page.example/dashboards/alerts"
    assert slack_message(notice)["text"] == (
        ":white_check_mark: *INFO: Alerts of the last week: 1; messages: 2*"
    )
    world.end()


def test_a_quiet_week_is_told_too(file: AlertFile) -> None:
    """So that people know that they would hear."""
    WeeklyReport(file, POLICY).look(MONDAY)
    assert told(file)[0].alert.summary == "No rule has fired."


def test_nobody_asked_for_it(file: AlertFile) -> None:
    """Then there is none."""
    WeeklyReport(file, Policy()).look(MONDAY)
    assert told(file) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("weekly_report: chat", "there is no channel 'chat'; there are: none"),
        (
            "{weekly_report: pager, channels: {pager: {type: pagerduty}}}",
            "'pager' is of type pagerduty, where a report would be an incident",
        ),
    ],
)
def test_where_it_cannot_go(tmp_path: Path, settings: str, says: str) -> None:
    """It wakes nobody at night."""
    path = tmp_path / "alerts.yaml"
    path.write_text(settings)
    with pytest.raises(ConfigError, match=says):
        read_policy(path)
