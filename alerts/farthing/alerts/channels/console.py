"""Lines on standard error: for trying out, and where logs are what is read."""

from __future__ import annotations

import sys

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
)
from farthing.alerts.message import message_of


class Console:
    """Writes each notice as a few lines."""

    def __init__(self, _settings: ChannelSettings, _clock: Clock) -> None:
        pass

    def send(self, notice: Notice, reference: Reference) -> Reference:  # noqa: ARG002
        """Write it; control characters, which a terminal would obey, are left out."""
        text = message_of(notice).text()
        shown = "".join(c for c in text if c == "\n" or c.isprintable())
        sys.stderr.write(shown.replace("\n", "\n  ") + "\n")
        sys.stderr.flush()
        return {}

    def close(self) -> None:
        """Nothing is kept open."""


CHANNEL = ChannelType(settings=ChannelSettings, open=Console, rate=Rate(100, 1000))
