"""Pictures of what a run costs, added to the message that told of it.

A picture is a notice of its own, to a channel of its own name, which is put into the
outbox as the message leaves it. So the message is there first, nothing waits for the
picture, and all that is certain of messages is certain of it, but for a fallback.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from farthing.alerts.alert import Alert, Notice, Outbox
from farthing.alerts.channel import Opened, Reference

Draw = Callable[[Alert], bytes | None]
"""A PNG of what the run of an alert has cost; None where there is nothing to draw, a
DeliveryError where there may be later. It takes half a minute at most."""

_MAX_BYTES: Final = 1024 * 1024


def picture_name(channel: str) -> str:
    """The name under which a channel's pictures are told."""
    return f"{channel}/pictures"


class PictureSender:
    """The pictures of one channel, as a channel: drawn when it is their turn."""

    def __init__(self, opened: Opened, outbox: Outbox, draw: Draw) -> None:
        assert opened.pictures is not None
        self._of = opened.name
        self._pictures = opened.pictures
        self._outbox = outbox
        self._draw = draw

    def send(self, notice: Notice, _reference: Reference) -> Reference:
        """Draw, and add it to the message. Raises DeliveryError."""
        png = self._draw(notice.alert)
        if png is not None and len(png) <= _MAX_BYTES:
            message = self._outbox.reference(notice.alert.id, self._of)
            self._pictures.post(notice, png, message)
        return {}

    def close(self) -> None:
        """Close the channel's connection for them."""
        self._pictures.close()
