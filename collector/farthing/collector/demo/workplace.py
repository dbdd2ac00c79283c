"""A made-up company's Slack and PagerDuty, for the alerts of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from farthing.collector.demo.pagers import (
    Incident,
    Loopback,
    PagerDutyStandIn,
    Post,
    SlackStandIn,
)

_RULES: Final = ["loop", "run-cost"]


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the demo's alerts arrive; `alerts_file` is what sends them there."""

    alerts_file: Path
    slack: SlackStandIn
    pagerduty: PagerDutyStandIn

    def messages(self) -> list[Post]:
        """Slack's, one per alert, as they stand now."""
        return self.slack.roots()

    def incidents(self) -> list[Incident]:
        """PagerDuty's."""
        return list(self.pagerduty.incidents)

    def is_told_of(self, subject: str) -> bool:
        """Whether both have heard of it."""
        told = [post.text for post in self.messages()]
        paged = [incident.summary for incident in self.incidents()]
        return all(any(subject in text for text in texts) for texts in (told, paged))

    def is_over(self) -> bool:
        """Whether everything that they heard of is resolved."""
        told = all("RESOLVED" in post.text for post in self.messages())
        return told and not self.pagerduty.open_incidents()


@contextmanager
def workplace(folder: Path) -> Iterator[Workplace]:
    """Both open on the loopback, and an alerts' file with its secrets in `folder`."""
    slack, pagerduty = SlackStandIn(), PagerDutyStandIn()
    with Loopback(slack) as chat, Loopback(pagerduty) as pager:
        channels = {
            "chat": {
                "type": "slack_bot",
                "token": _kept(folder / "slack-token", slack.token),
                "channel": slack.channel,
                "api_url": f"{chat.url}/api",
                "fallback": "pager",
            },
            "pager": {
                "type": "pagerduty",
                "routing_key": _kept(folder / "pagerduty-key", pagerduty.routing_key),
                "api_url": pager.url,
            },
        }
        routes = [{"match": {"rule": _RULES}, "channels": list(channels)}]
        owners = [{"owner": "@agents-oncall"}]
        told = {"channels": channels, "routes": routes, "owners": owners}
        file = folder / "alerts.yaml"
        file.write_text(yaml.safe_dump(told))
        yield Workplace(file, slack, pagerduty)


def _kept(file: Path, secret: str) -> dict[str, str]:
    """A secret in a file that only its owner may read, as the settings name it."""
    file.touch(mode=0o600)
    file.write_text(secret)
    return {"file": str(file)}
