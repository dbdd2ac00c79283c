"""A process that delivers what is in a file: `python -m … FILE SLACK_URL PAGER_URL`."""

from __future__ import annotations

import sys
from pathlib import Path

from farthing.alerts.channel import open_channels
from farthing.alerts.deliver import Delivery
from farthing.alerts.destination import Surroundings
from farthing.alerts.file import AlertFile
from farthing.alerts.outbox import SqliteOutbox
from farthing.collector.demo.pagers import PagerDutyStandIn, SlackStandIn


def main(file: str, slack_url: str, pager_url: str) -> None:
    """Deliver until standard input ends."""
    workspace, service = SlackStandIn(), PagerDutyStandIn()
    environ = {"TOKEN": workspace.token, "KEY": service.routing_key}
    bot = {
        "type": "slack_bot",
        "token": {"env": "TOKEN"},
        "channel": workspace.channel,
        "api_url": f"{slack_url}/api",
    }
    pager = {"type": "pagerduty", "routing_key": {"env": "KEY"}, "api_url": pager_url}
    channels = open_channels({"slack": bot, "pager": pager}, environ=environ)
    outbox = SqliteOutbox(AlertFile(Path(file)))
    delivery = Delivery(channels, Surroundings(outbox))
    delivery.start()
    sys.stdin.read()
    delivery.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
