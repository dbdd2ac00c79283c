"""Slack and PagerDuty on the loopback, as far as alerts need them.

They check what they are sent as the real ones do, answer as the real ones do, and fail
on demand: for the demo, which has no workspace to post to, and for the tests.
"""

from farthing.collector.demo.pagers.pagerduty import Incident, PagerDutyStandIn
from farthing.collector.demo.pagers.server import (
    HANG,
    LOST,
    RESET,
    Failure,
    Loopback,
    Provider,
    Reply,
    Request,
)
from farthing.collector.demo.pagers.slack import Post, SlackStandIn

__all__ = [
    "HANG",
    "LOST",
    "RESET",
    "Failure",
    "Incident",
    "Loopback",
    "PagerDutyStandIn",
    "Post",
    "Provider",
    "Reply",
    "Request",
    "SlackStandIn",
]
