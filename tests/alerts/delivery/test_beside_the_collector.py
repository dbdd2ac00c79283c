"""Channels of the settings' file: listed, tried, and told by a running collector."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click.testing
import pytest
from prometheus_client import CollectorRegistry

from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.cli import main
from farthing.collector.alerting import alert_file, running_alerting
from farthing.collector.config import load_settings
from farthing.collector.demo.pagers import (
    Failure,
    Loopback,
    PagerDutyStandIn,
    Reply,
    SlackStandIn,
)
from farthing.collector.store.ledger import Ledger
from tests.alerts.delivery.notices import alert, notice

CHANNELS = """
channels:
  chat:
    type: slack_bot
    token: {env: CHAT_TOKEN}
    channel: C0LOOPBACK
    api_url: %s/api
    fallback: pager
  pager: {type: pagerduty, routing_key: {env: PAGER_KEY}, api_url: "%s"}
routes:  # nothing of what rules find in the tests' ledger
  - {match: {rule: none-of-them}, channels: [chat]}
"""


@pytest.fixture
def settings_file(
    tmp_path: Path,
    slack: Loopback,
    pagerduty: Loopback,
    workspace: SlackStandIn,
    service: PagerDutyStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    file = tmp_path / "alerts.yaml"
    file.write_text(CHANNELS % (slack.url, pagerduty.url))
    monkeypatch.setenv("FARTHING_ALERTS_FILE", str(file))
    monkeypatch.setenv("FARTHING_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHAT_TOKEN", workspace.token)
    monkeypatch.setenv("PAGER_KEY", service.routing_key)
    return file


def farthing(*arguments: str) -> tuple[int, Sequence[dict[str, str]]]:
    run = click.testing.CliRunner().invoke(main, ["alerts", *arguments, "--json"])
    return run.exit_code, json.loads(run.stdout)


def test_channels_are_listed_without_their_secrets(settings_file: Path) -> None:
    """Name, type and fallback."""
    assert farthing("channels") == (
        0,
        [
            {"channel": "chat", "type": "slack_bot", "fallback": "pager"},
            {"channel": "pager", "type": "pagerduty", "fallback": ""},
        ],
    )


def test_channels_can_be_tried(
    settings_file: Path,
    slack: Loopback,
    workspace: SlackStandIn,
    service: PagerDutyStandIn,
) -> None:
    """Each named one is told of a test and of its end; a refusal is shown."""
    assert farthing("channels", "--test")[0] == 0
    assert "RESOLVED" in workspace.roots()[0].text
    assert [one.status for one in service.incidents] == ["resolved"]
    slack.fail(Failure(Reply(200, {"ok": False, "error": "not_in_channel"})))
    code, told = farthing("channels", "chat", "--test")
    assert code == 1
    assert told == [
        {"channel": "chat", "problem": "not_found: chat.postMessage: not_in_channel"}
    ]
    assert farthing("test", "--channel", "pager") == (
        0,
        [{"channel": "pager", "problem": ""}],
    )
    assert len(service.incidents) == 2


def test_a_running_collector_tells_what_an_earlier_one_left(
    settings_file: Path,
    tmp_path: Path,
    shared_ledger: Ledger,
    service: PagerDutyStandIn,
    workspace: SlackStandIn,
) -> None:
    """What waits in the folder is delivered at the start, and counted."""
    file = AlertFile(alert_file(tmp_path))
    outbox = SqliteOutbox(file)
    now = datetime.now(UTC)
    told = alert(at=now)
    outbox.put([notice(of=told, channel=name) for name in ("chat", "pager")])
    registry = CollectorRegistry()
    with running_alerting(load_settings(), shared_ledger.store, registry):
        deadline_s = time.monotonic() + 60
        while outbox.waiting():
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
    assert [post.text.split("*")[1] for post in workspace.roots()] == [
        "WARNING: run-17 costs 4.2x the median of code-review"
    ]
    assert len(service.open_incidents()) == 1
    counted = {"channel": "pager", "outcome": "delivered"}
    assert registry.get_sample_value("farthing_alerts_deliveries_total", counted) == 1
    file.close()
