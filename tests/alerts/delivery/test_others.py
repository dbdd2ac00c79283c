"""Channels that only tell: the console, and what Apprise knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farthing.collector.demo.pagers import Failure, Loopback, Reply, Request
from farthing.errors import ConfigError, DeliveryError
from tests.alerts.delivery.conftest import Open
from tests.alerts.delivery.notices import alert, life, notice

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")


class Receiver:
    """Takes everything."""

    def answer(self, request: Request) -> Reply:
        return Reply(200 if request.body else 400)


@pytest.fixture
def receiver() -> Iterator[Loopback]:
    with Loopback(Receiver()) as loopback:
        yield loopback


def test_the_console_shows_the_whole_message(
    open_channel: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, indented under its headline, without control characters."""
    console = open_channel("console").channel
    console.send(notice(of=alert(summary="red \x1b[31m\x07 alert")), {})
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("WARNING: run-17")
    assert lines[1] == "  red [31m alert"
    assert "  Owner: @growth-oncall" in lines


def test_apprise_is_told_in_plain_text(open_channel: Open, receiver: Loopback) -> None:
    """By an address of Apprise's own, with the kind of message that it has."""
    url = receiver.url.replace("http://", "json://")
    channel = open_channel("apprise", url_env=url).channel
    first, *_, last = life()
    channel.send(first, {})
    channel.send(last, {})
    told = [request.json() for request in receiver.requests]
    assert [one["type"] for one in told] == ["warning", "success"]
    assert told[0]["title"] == "WARNING: run-17 costs 4.2x the median of code-review"
    assert "Owner: @growth-oncall" in told[0]["message"]


def test_what_apprise_could_not_tell_is_tried_again(
    open_channel: Open, receiver: Loopback
) -> None:
    """It does not say why, so it may pass."""
    url = receiver.url.replace("http://", "json://")
    channel = open_channel("apprise", url_env=url).channel
    receiver.fail(*[Failure(Reply(500))] * 5)
    with pytest.raises(DeliveryError) as caught:
        channel.send(notice(), {})
    assert caught.value.retryable


def test_an_address_that_apprise_does_not_know_is_said_at_the_start(
    open_channel: Open,
) -> None:
    """Not when the first alert fires; and it is not shown."""
    with pytest.raises(ConfigError) as caught:
        open_channel("apprise", url_env="nothing://sesame")
    assert "sesame" not in str(caught.value)
