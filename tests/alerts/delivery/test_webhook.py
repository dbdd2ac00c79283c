"""The signed webhook, as its receiver sees it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from farthing.alerts.alert import Alert
from farthing.collector.demo.pagers import Loopback, Reply, Request
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.conftest import Open
from tests.alerts.delivery.notices import FakeClock, life, notice

KEY = b"a key of 32 bytes, as is usual.."
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


class Receiver:
    """Takes everything."""

    def answer(self, request: Request) -> Reply:
        return Reply(204 if request.body else 400)


@pytest.fixture
def receiver() -> Iterator[Loopback]:
    with Loopback(Receiver()) as loopback:
        yield loopback


def test_a_receiver_can_tell_that_it_is_ours(
    open_channel: Open, receiver: Loopback, clock: FakeClock
) -> None:
    """The signature is Standard Webhooks': HMAC-SHA256 of id, time and body."""
    hook = open_channel("webhook", url_env=f"{receiver.url}/hook", secret_env=SECRET)
    hook.channel.send(notice(), {})
    [request] = receiver.requests
    sent_at_s = request.headers["webhook-timestamp"]
    assert int(sent_at_s) == clock.now.timestamp()
    signed = f"{request.headers['webhook-id']}.{sent_at_s}.".encode() + request.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest())
    assert request.headers["webhook-signature"] == f"v1,{expected.decode()}"


def test_what_is_sent_again_has_the_same_key(
    open_channel: Open, receiver: Loopback, clock: FakeClock
) -> None:
    """A receiver that remembers keys does it all once; later notices have others."""
    hook = open_channel("webhook", url_env=f"{receiver.url}/hook")
    first, second, *_ = life()
    hook.channel.send(first, {})
    clock.move(60)
    hook.channel.send(first, {})
    hook.channel.send(second, {})
    keys = [request.headers["idempotency-key"] for request in receiver.requests]
    assert keys == [first.key, first.key, second.key]
    assert "webhook-signature" not in receiver.requests[0].headers


def test_the_body_is_alertmanagers_with_ours_inside(
    open_channel: Open, receiver: Loopback
) -> None:
    """Receivers made for Alertmanager read it, and ours find everything."""
    hook = open_channel("webhook", url_env=f"{receiver.url}/hook")
    *_, last = life()
    hook.channel.send(last, {})
    body = json.loads(receiver.requests[0].body)
    assert (body["version"], body["status"]) == ("4", "resolved")
    [told] = body["alerts"]
    assert told["labels"]["alertname"] == "run-cost"
    assert told["endsAt"] == "2026-11-25T12:00:03+00:00"
    assert Alert.from_json(body["farthing"]["alert"]) == last.alert


def test_an_address_with_a_token_is_not_shown(open_channel: Open) -> None:
    """Neither in the error nor in how settings are shown."""
    hook = open_channel("webhook", url_env="http://127.0.0.1:9/in?token=abcdefgh")
    with pytest.raises(DeliveryError) as caught:
        hook.channel.send(notice(), {})
    assert caught.value.reason is Reason.CONNECTION
    assert "abcdefgh" not in str(caught.value)
