"""Teams, Discord, e-mail and whatever else Apprise knows: told, and no more than that.

Needs `pip install 'farthing[apprise]'`. Apprise says whether all addresses took a
message, not why one did not: that is tried again until it is too old.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
)
from farthing.alerts.message import clip, message_of
from farthing.alerts.secret import Secret
from farthing.errors import ConfigError, DeliveryError, Reason

_TYPES: Final = {"critical": "failure", "error": "failure", "warning": "warning"}
_MAX_TITLE: Final = 250


class AppriseSettings(ChannelSettings):
    """`url` is an Apprise address, as in mailtos://…, with its password in it."""

    url: Secret


class Apprise:
    """Notifies one address."""

    def __init__(self, settings: AppriseSettings, _clock: Clock) -> None:
        self._apprise: Any = _library().Apprise()
        if not self._apprise.add(settings.url.get_secret_value()):
            raise ConfigError(
                "a channel of type apprise has a url that Apprise does not know; see"
                " its list of services"
            )

    def send(self, notice: Notice, reference: Reference) -> Reference:  # noqa: ARG002
        """Notify. Raises DeliveryError, which does not know why."""
        alert, message = notice.alert, message_of(notice)
        is_over = alert.state == "resolved"
        took = self._apprise.notify(
            title=clip(message.headline, _MAX_TITLE),
            body=message.text(),
            notify_type="success" if is_over else _TYPES.get(alert.severity, "info"),
            body_format="text",
        )
        if not took:
            raise DeliveryError(Reason.CONNECTION, "Apprise could not notify")
        return {}

    def close(self) -> None:
        """Nothing is kept open."""


def _library() -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise ConfigError(
            "a channel of type apprise needs Apprise: pip install 'farthing[apprise]'"
        ) from None


CHANNEL = ChannelType(settings=AppriseSettings, open=Apprise, rate=Rate(1, burst=3))
