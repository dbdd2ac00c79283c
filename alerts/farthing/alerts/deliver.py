"""From the outbox to the channels: at least once, in order per alert, none in the way.

Each destination has a thread of its own, so one that hangs delays nothing else; what
each does is in `destination.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

from farthing.alerts.channel import Opened
from farthing.alerts.destination import GIVEN_UP_AFTER, Destination, Surroundings
from farthing.alerts.picture import PictureSender, picture_name
from farthing.errors import Reason

_MANY = 1_000


class Delivery:
    """Delivers to all channels of a configuration, one thread each."""

    def __init__(
        self, channels: Mapping[str, Opened], surroundings: Surroundings
    ) -> None:
        self._surroundings = surroundings
        self.destinations: dict[str, Destination] = {}
        for opened in channels.values():
            self._add(opened)

    def _add(self, opened: Opened) -> None:
        """A channel, and its pictures: a destination of their own, so that no message
        waits for one to be drawn or taken."""
        around, pictures = self._surroundings, None
        if around.draw is not None and opened.pictures is not None:
            sender = PictureSender(opened, around.outbox, around.draw)
            pictures = Destination(
                Opened(picture_name(opened.name), sender, opened.rate), around
            )
            self.destinations[pictures.name] = pictures
        self.destinations[opened.name] = Destination(opened, around, pictures=pictures)

    def start(self) -> None:
        """Start to deliver, beginning with what an earlier process left."""
        self.bury_what_has_no_channel()
        for destination in self.destinations.values():
            destination.start()

    def wake(self) -> None:
        """Look now: something was put into the outbox."""
        for destination in self.destinations.values():
            destination.wake()

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Send nothing more. Attempts under way get `timeout_s` in all; the next
        process makes those again that take longer."""
        deadline_s = time.monotonic() + timeout_s
        for destination in self.destinations.values():
            destination.ask_to_stop()
        for destination in self.destinations.values():
            destination.join(max(0.0, deadline_s - time.monotonic()))

    def bury_what_has_no_channel(self) -> None:
        """Make dead letters of notices to channels that the configuration no longer
        has: they would wait for ever."""
        outbox = self._surroundings.outbox
        horizon = self._surroundings.clock() + GIVEN_UP_AFTER + timedelta(hours=1)
        while True:
            due = outbox.due(horizon, limit=_MANY)
            lost = [n for n in due if n.channel not in self.destinations]
            for notice in lost:
                outbox.dead(notice, Reason.NO_CHANNEL)
            if not lost:
                return
