"""Incidents as rows of the ledger's table `alert_instances`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from farthing.alerts.incident import Incident
from farthing.alerts.policy import Policy
from farthing.alerts.tell import labels_of

TABLE: Final = "alert_instances"
_LABELS: Final = (
    "run_id",
    "task_type",
    "business_unit",
    "team",
    "user",
    "agent",
    "service",
    "environment",
)
COLUMNS: Final[Sequence[str]] = (
    *("id", "rule", "subject", "shown", "state", "severity", "level", "title"),
    *("summary", "owner", "muted", "unit", "value", "peak", "threshold"),
    *("lower_bound", "cost_usd", "burn_usd_per_hour", "since", "opened_at"),
    *("fired_at", "resolved_at", "why_resolved", "acknowledged_by"),
    *_LABELS,
    *("labels", "members", "channels", "version"),
)


def row(incident: Incident, policy: Policy) -> list[Any]:
    """The row of an incident that fired, in the order of `COLUMNS`."""
    told: dict[str, Any] = {
        name: getattr(incident, name)
        for name in COLUMNS
        if name in Incident.__dataclass_fields__
    }
    told |= {name: incident.labels.get(name, "") for name in _LABELS}
    told |= {
        "state": _state(incident),
        "owner": policy.owner_of(labels_of(incident)),
        "fired_at": incident.fired_at or incident.opened_at,
        "labels": dict(incident.labels),
        "members": list(incident.members),
        "channels": list(incident.told),
        "version": version(incident),
    }
    return [_plain(told[name]) for name in COLUMNS]


def version(incident: Incident) -> int:
    """Of two states of an incident, the later has the higher."""
    at = max(incident.resolved_at or incident.seen_at, incident.seen_at)
    # Acknowledging changes it without a reading: the number of messages breaks the tie.
    return int(at.timestamp() * 1_000_000) + incident.sequence


def _state(incident: Incident) -> str:
    if not incident.is_open:
        return "resolved"
    return "acknowledged" if incident.acknowledged_by else "firing"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return format(value, "f") if isinstance(value, Decimal) else value
