"""Providers on the loopback, channels to them, and an outbox in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farthing.alerts.channel import Opened, open_channels
from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.collector.demo.pagers import Loopback, PagerDutyStandIn, SlackStandIn
from tests.alerts.delivery.notices import FakeClock
from tests.alerts.delivery.stepping import Run

Open = Callable[..., Opened]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    file = AlertFile(tmp_path / "alerts.sqlite")
    yield SqliteOutbox(file)
    file.close()


@pytest.fixture
def slack() -> Iterator[Loopback]:
    with Loopback(SlackStandIn()) as loopback:
        yield loopback


@pytest.fixture
def workspace(slack: Loopback) -> SlackStandIn:
    assert isinstance(slack.provider, SlackStandIn)
    return slack.provider


@pytest.fixture
def pagerduty() -> Iterator[Loopback]:
    with Loopback(PagerDutyStandIn()) as loopback:
        yield loopback


@pytest.fixture
def service(pagerduty: Loopback) -> PagerDutyStandIn:
    assert isinstance(pagerduty.provider, PagerDutyStandIn)
    return pagerduty.provider


@pytest.fixture
def open_channel(clock: FakeClock) -> Iterator[Open]:
    """Opens a channel of a type, its secrets from variables named as its fields."""
    opened: list[Opened] = []

    def open_one(type_: str, *, name: str = "c", **settings: Any) -> Opened:
        environ = {
            k.removesuffix("_env"): v for k, v in settings.items() if k.endswith("_env")
        }
        told = {
            k.removesuffix("_env"): {"env": k.removesuffix("_env")}
            if k.endswith("_env")
            else v
            for k, v in settings.items()
        }
        channels = open_channels(
            {name: {"type": type_} | told}, environ=environ, clock=clock
        )
        opened.append(channels[name])
        return opened[-1]

    yield open_one
    for one in opened:
        one.channel.close()


@pytest.fixture
def webhook(open_channel: Open, slack: Loopback, workspace: SlackStandIn) -> Opened:
    """Slack by a webhook."""
    return open_channel(
        "slack_webhook", url_env=slack.url + workspace.path, timeout_s=1
    )


@pytest.fixture
def bot(open_channel: Open, slack: Loopback, workspace: SlackStandIn) -> Opened:
    """Slack by a bot."""
    return open_channel(
        "slack_bot",
        token_env=workspace.token,
        channel=workspace.channel,
        api_url=f"{slack.url}/api",
        timeout_s=1,
    )


@pytest.fixture
def pager(open_channel: Open, pagerduty: Loopback, service: PagerDutyStandIn) -> Opened:
    """PagerDuty."""
    return open_channel(
        "pagerduty",
        routing_key_env=service.routing_key,
        api_url=pagerduty.url,
        timeout_s=1,
    )


@pytest.fixture
def run(outbox: SqliteOutbox, clock: FakeClock) -> Run:
    return Run(outbox, clock)
