"""An alert as Prometheus has it: labels that identify, annotations that tell."""

from __future__ import annotations

import re
from typing import Final

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.message import RUNBOOK, clip, message_of

_MAX_LABEL: Final = 1_000
_MAX_ANNOTATION: Final = 2_000
_NOT_IN_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_]")


def labels_of(alert: Alert) -> dict[str, str]:
    """What identifies the alert and what routes and silences go by. `alertname` is the
    rule; `farthing_alert` keeps two incidents of one subject apart."""
    own = {
        "alertname": alert.rule,
        "severity": alert.severity,
        "subject": alert.subject,
        "farthing_alert": alert.id,
    }
    given = {
        _name(name): clip(value, _MAX_LABEL) for name, value in alert.labels.items()
    }
    return {name: value for name, value in (given | own).items() if value}


def annotations_of(notice: Notice) -> dict[str, str]:
    """What people read: `summary`, `description`, `runbook_url` by their usual names
    (`runbook` where it is no URL), and each fact under its own."""
    message = message_of(notice)
    told = {"summary": message.headline, "description": message.summary}
    told |= {
        "runbook_url" if link.is_url else "runbook": link.target
        for link in message.links
        if link.name == RUNBOOK
    }
    facts = {_name(fact.name.lower()): fact.value for fact in message.facts}
    return {
        name: clip(text, _MAX_ANNOTATION)
        for name, text in (facts | told).items()
        if text
    }


def _name(text: str) -> str:
    """As a label may be called: [a-zA-Z_][a-zA-Z0-9_]*."""
    name = _NOT_IN_A_NAME.sub("_", text)
    return f"_{name}" if name[:1].isdigit() or not name else name
