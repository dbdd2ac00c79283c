"""Slack, by an incoming webhook: one channel, and what was posted stays as it is.

An answer of a webhook names no message, so what happens later is a message of its own.
Errors (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): a status
that is not 200 with the reason as plain text.
"""

from __future__ import annotations

from typing import Annotated

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    SECRET_URL,
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
)
from farthing.alerts.message_slack import slack_message
from farthing.alerts.post import Poster
from farthing.alerts.secret import Secret
from farthing.errors import DeliveryError, Reason


class SlackWebhookSettings(ChannelSettings):
    """`url` is the webhook's address, which is its password."""

    url: Annotated[Secret, SECRET_URL]


class SlackWebhook:
    """Posts to one webhook."""

    def __init__(self, settings: SlackWebhookSettings, _clock: Clock) -> None:
        self._url = settings.url.get_secret_value()
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())

    def send(self, notice: Notice, reference: Reference) -> Reference:  # noqa: ARG002
        """Post it. Raises DeliveryError."""
        answer = self._poster.post_json(self._url, slack_message(notice))
        if answer.body.strip() != "ok":
            raise DeliveryError(Reason.BAD_ANSWER, "the answer is not Slack's `ok`")
        return {}

    def close(self) -> None:
        """Close its connection."""
        self._poster.close()


CHANNEL = ChannelType(
    settings=SlackWebhookSettings, open=SlackWebhook, rate=Rate(1, burst=3)
)
