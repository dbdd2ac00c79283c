"""PagerDuty's Events API v2 against its real answers."""

from __future__ import annotations

import pytest

from farthing.alerts.alert import SEVERITIES
from farthing.alerts.channel import Opened
from farthing.alerts.channels.pagerduty import event_of
from farthing.collector.demo.pagers import (
    HANG,
    LOST,
    RESET,
    Failure,
    Loopback,
    PagerDutyStandIn,
    Reply,
)
from farthing.errors import DeliveryError, Reason
from tests.alerts.delivery.conftest import Open
from tests.alerts.delivery.notices import alert, life, notice


def test_one_alert_is_one_incident(pager: Opened, service: PagerDutyStandIn) -> None:
    """Trigger, escalation, acknowledgement and resolve share a key: one incident, which
    ends resolved."""
    for one in life():
        pager.channel.send(one, {})
    [incident] = service.incidents
    assert incident.status == "resolved"
    assert [event["event_action"] for event in incident.events] == [
        "trigger",
        "trigger",
        "acknowledge",
        "resolve",
    ]


def test_what_is_sent_twice_is_one_incident(
    pager: Opened, pagerduty: Loopback, service: PagerDutyStandIn
) -> None:
    """An answer that was lost costs a second event, not a second incident."""
    pagerduty.fail(LOST)
    with pytest.raises(DeliveryError):
        pager.channel.send(notice(), {})
    pager.channel.send(notice(), {})
    assert len(service.incidents) == 1


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure(Reply(429, "")), Reason.RATE_LIMITED),
        (Failure(Reply(500, "")), Reason.SERVER_ERROR),
        (Failure(Reply(413, "")), Reason.TOO_LARGE),
        (Failure(Reply(202, "no json")), Reason.BAD_ANSWER),
        (RESET, Reason.CONNECTION),
        (HANG, Reason.TIMEOUT),
    ],
)
def test_each_refusal_has_a_reason(
    pager: Opened, pagerduty: Loopback, failure: Failure, reason: Reason
) -> None:
    """429, 5xx, silence and broken connections are tried again, the others are not."""
    pagerduty.fail(failure)
    with pytest.raises(DeliveryError) as caught:
        pager.channel.send(notice(), {})
    assert caught.value.reason is reason


def test_an_event_that_is_invalid_says_why(
    open_channel: Open, pagerduty: Loopback
) -> None:
    """A routing key that is none is not tried again; PagerDuty's words are kept, the
    key is not."""
    wrong = open_channel(
        "pagerduty", routing_key_env="short-key", api_url=pagerduty.url
    )
    with pytest.raises(DeliveryError, match="should be 32 characters") as caught:
        wrong.channel.send(notice(), {})
    assert caught.value.reason is Reason.REJECTED
    assert "short-key" not in str(caught.value)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_severities_are_told_as_they_are(
    pager: Opened, service: PagerDutyStandIn, severity: str
) -> None:
    """Ours are PagerDuty's."""
    pager.channel.send(notice(of=alert(severity=severity)), {})
    assert service.incidents[0].events[0]["payload"]["severity"] == severity


def test_an_event_carries_what_a_person_needs() -> None:
    """What, whose, how much against what, since when, what it costs and where to look
    are in the event; what cannot be followed is no link."""
    event = event_of(notice())
    payload, details = event["payload"], event["payload"]["custom_details"]
    assert payload["summary"] == "WARNING: run-17 costs 4.2x the median of code-review"
    assert payload["timestamp"] == "2026-11-25T11:53:00+00:00"
    assert details["Owner"] == "@growth-oncall"
    assert details["Value"] == "4.2x (alert from 3.0x)"
    assert details["Burns"] == "$10.80 per hour"
    assert details["Runbook"] == "docs/alerts.md"
    assert event["client_url"] == "https://farthing.example/runs/run-17"
    assert [link["href"] for link in event["links"]] == [event["client_url"]]
