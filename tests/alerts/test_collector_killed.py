"""`kill -9` of the collector at every state of an alert."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.alerts.killed import LIFE, WALKS, office, walk, wrongs

IN_CI = ("between", "amidst")
"""All states in two lives; `make bench` also has a life for each."""


@pytest.mark.parametrize("name", IN_CI)
def test_a_collector_that_is_killed(tmp_path: Path, name: str) -> None:
    """The alert reaches every channel, and so does its end, and neither twice where
    the protocol has a key: Slack's bot, PagerDuty, the webhook and Alertmanager."""
    with office(tmp_path) as one:
        walk(one, WALKS[name])
        assert list(wrongs(one)) == []


def test_every_state_is_killed_at() -> None:
    """What runs in CI leaves out none."""
    killed_at = {state for name in IN_CI for state in WALKS[name]}
    assert killed_at == {state.name for state in LIFE}


def test_what_is_told_twice_shows(tmp_path: Path) -> None:
    """A bot that may not look for its message posts it again: the walk says so."""
    with office(tmp_path) as one:
        one.slack.scopes.remove("channels:history")
        walk(one, WALKS["telling"])
        assert any("the bot's messages" in wrong for wrong in wrongs(one))
