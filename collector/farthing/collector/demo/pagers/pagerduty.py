"""PagerDuty's Events API v2: /v2/enqueue, and the incidents that come of it.

Answers and checks are those of developer.pagerduty.com/docs/events-api-v2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from farthing.collector.demo.pagers.server import Reply, Request

_ACTIONS: Final = {"trigger", "acknowledge", "resolve"}
_SEVERITIES: Final = {"critical", "error", "warning", "info"}
_KEY_LENGTH: Final = 32
_MAX_DEDUP_KEY: Final = 255
_MAX_SUMMARY: Final = 1_024
_MAX_BYTES: Final = 512 * 1024


@dataclass(slots=True)
class Incident:
    """What people see: `events` are those that were added to it."""

    dedup_key: str
    status: str = "triggered"
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """Of the event that opened it."""
        return str(self.events[0]["payload"]["summary"])


@dataclass(slots=True)
class PagerDutyStandIn:
    """One service: its incidents, open or not, in the order in which they opened."""

    routing_key: str = "0123456789abcdef0123456789abcdef"
    incidents: list[Incident] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        """As events.pagerduty.com does."""
        if request.path != "/v2/enqueue":
            return Reply(404, "Not Found")
        if len(request.body) > _MAX_BYTES:
            return Reply(413, "Payload Too Large")
        event = request.json()
        if errors := list(problems(event)):
            return _invalid(errors)
        if event["routing_key"] == self.routing_key:  # another's is taken and dropped
            self._take(event)
        said = {"status": "success", "message": "Event processed"}
        return Reply(202, said | {"dedup_key": event.get("dedup_key", "made-up")})

    def open_incidents(self) -> list[Incident]:
        """Those that are not resolved."""
        return [one for one in self.incidents if one.status != "resolved"]

    def _take(self, event: dict[str, Any]) -> None:
        key = event["dedup_key"]
        incident = next((i for i in self.open_incidents() if i.dedup_key == key), None)
        if event["event_action"] == "trigger":
            if incident is None:
                incident = Incident(key)
                self.incidents.append(incident)
            incident.events.append(event)
        elif incident is not None:  # for a key that is not open it is dropped
            incident.events.append(event)
            acknowledged = event["event_action"] == "acknowledge"
            incident.status = "acknowledged" if acknowledged else "resolved"


def problems(event: Mapping[str, Any]) -> Iterator[str]:
    """What PagerDuty says is wrong with an event."""
    if len(event.get("routing_key", "")) != _KEY_LENGTH:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if event.get("event_action") not in _ACTIONS:
        yield "'event_action' is invalid (should be one of the following: trigger,"
    if len(event.get("dedup_key", "")) > _MAX_DEDUP_KEY:
        yield "'dedup_key' is too long (maximum is 255 characters)"
    if event.get("event_action") == "trigger":
        yield from _payload_problems(event.get("payload") or {})
        for link in event.get("links", []):
            if not link.get("href", "").startswith(("http://", "https://")):
                yield "'links' must have an 'href' that is a URL"
    elif not event.get("dedup_key"):
        yield "'dedup_key' is missing or blank"


def _payload_problems(payload: Mapping[str, Any]) -> Iterator[str]:
    for name in ("summary", "source", "severity"):
        if not payload.get(name):
            yield f"'payload.{name}' is missing or blank"
    if payload.get("severity") not in _SEVERITIES:
        yield "'payload.severity' is invalid"
    if len(payload.get("summary", "")) > _MAX_SUMMARY:
        yield "'payload.summary' is too long (maximum is 1024 characters)"


def _invalid(errors: list[str]) -> Reply:
    said = {"status": "invalid event", "message": "Event object is invalid"}
    return Reply(400, said | {"errors": errors})
