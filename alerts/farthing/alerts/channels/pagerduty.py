"""PagerDuty, by Events API v2: trigger, acknowledge and resolve under one key.

The alert's id is the dedup_key, so what is sent twice is one incident. Sizes, statuses
and fields: developer.pagerduty.com/docs/events-api-v2/overview.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
    Url,
)
from farthing.alerts.message import Link, Message, clip, message_of
from farthing.alerts.post import Poster
from farthing.alerts.secret import Secret

_HOSTS: Final = {
    "us": "https://events.pagerduty.com",
    "eu": "https://events.eu.pagerduty.com",
}
_ACTIONS: Final = {
    "trigger": "trigger",
    "update": "trigger",
    "acknowledge": "acknowledge",
    "resolve": "resolve",
}
_MAX_SUMMARY: Final = 1_024
_MAX_DETAIL: Final = 2_000
_MAX_WORD: Final = 255


class PagerDutySettings(ChannelSettings):
    """`routing_key` is the integration key of a service, `region` where the account
    is; `api_url` replaces the region's address."""

    routing_key: Secret
    region: Literal["us", "eu"] = "us"
    api_url: Url | None = None


class PagerDuty:
    """Sends events to one integration."""

    def __init__(self, settings: PagerDutySettings, _clock: Clock) -> None:
        host = settings.api_url or _HOSTS[settings.region]
        self._url = f"{host.rstrip('/')}/v2/enqueue"
        self._routing_key = settings.routing_key.get_secret_value()
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())

    def send(self, notice: Notice, reference: Reference) -> Reference:  # noqa: ARG002
        """Enqueue the event. Raises DeliveryError. The reference is the dedup_key."""
        event = {"routing_key": self._routing_key} | event_of(notice)
        self._poster.post_json(self._url, event).json()
        return {"dedup_key": notice.alert.id}

    def close(self) -> None:
        """Close its connection."""
        self._poster.close()


def event_of(notice: Notice) -> dict[str, Any]:
    """The event without its routing key. An escalation is a further trigger: it adds to
    the incident, and raises its severity."""
    action = _ACTIONS[notice.kind]
    event = {"event_action": action, "dedup_key": notice.alert.id}
    return event if action != "trigger" else event | _trigger(notice)


def _trigger(notice: Notice) -> dict[str, Any]:
    message = message_of(notice)
    links = [link for link in message.links if link.is_url]
    return {
        "client": "Farthing",
        "payload": _payload(notice, message),
        "links": [{"href": link.target, "text": link.name} for link in links],
    } | _client_url(links)


def _client_url(links: list[Link]) -> dict[str, str]:
    return {"client_url": links[0].target} if links else {}


def _payload(notice: Notice, message: Message) -> dict[str, Any]:
    alert = notice.alert
    payload = {
        "summary": clip(message.headline, _MAX_SUMMARY),
        "source": clip(alert.subject, _MAX_WORD) or "farthing",
        "severity": alert.severity,
        "timestamp": alert.since.isoformat(),
        "class": clip(alert.rule, _MAX_WORD),
        "component": clip(alert.labels.get("task_type", ""), _MAX_WORD),
        "group": clip(alert.labels.get("team", ""), _MAX_WORD),
        "custom_details": _details(message),
    }
    return {name: value for name, value in payload.items() if value}


def _details(message: Message) -> dict[str, str]:
    told = {fact.name: clip(fact.value, _MAX_DETAIL) for fact in message.facts}
    paths = {link.name: link.target for link in message.links if not link.is_url}
    return {"Summary": clip(message.summary, _MAX_DETAIL)} | told | paths


CHANNEL = ChannelType(
    settings=PagerDutySettings, open=PagerDuty, rate=Rate(100 / 60, burst=10)
)
