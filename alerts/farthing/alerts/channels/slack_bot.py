"""Slack, by a bot token: one message per alert, kept up to date, with a thread.

The first notice is posted; each later one brings that message up to date and says in
its thread what happened. The bot needs the scope `chat:write`. With `channels:history`
too (`groups:history` for private channels), an attempt whose answer was lost is looked
for before it is made again, and nothing is posted twice. With `files:write` a picture
of what a run costs follows in the thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from farthing.alerts.alert import Notice
from farthing.alerts.channel import ChannelType, Clock, Rate, Reference
from farthing.alerts.message_slack import slack_message, slack_reply
from farthing.alerts.slack_api import SlackApi, SlackBotSettings, SlackError
from farthing.alerts.slack_pictures import SlackPictures
from farthing.errors import DeliveryError

_EVENT: Final = "farthing_notice"
_CANNOT_UPDATE: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed"}
)


class SlackBot:
    """Keeps one message per alert in a channel."""

    def __init__(self, settings: SlackBotSettings, _clock: Clock) -> None:
        self._settings = settings
        self._api = SlackApi(settings)

    def send(self, notice: Notice, reference: Reference) -> Reference:
        """Post, or bring up to date and say so in the thread. Raises DeliveryError.

        The reference is the channel's id and the message's `ts`.
        """
        if "ts" not in reference:
            return self._post_root(notice)
        try:
            root = {"channel": reference["channel"], "ts": reference["ts"]}
            self._api.call("chat.update", slack_message(notice) | root)
        except SlackError as error:
            if error.word not in _CANNOT_UPDATE:
                raise
            return self._post_root(notice)  # somebody deleted it, or it is too old
        self._reply(notice, root)
        return root

    def close(self) -> None:
        """Close its connection."""
        self._api.close()

    def _post_root(self, notice: Notice) -> Reference:
        found = self._posted("conversations.history", notice, {})
        channel = found.get("channel", self._settings.channel)
        if "ts" not in found:
            message = slack_message(notice) | _marked(notice) | {"channel": channel}
            found = self._api.call("chat.postMessage", message)
        return {"channel": found.get("channel", channel), "ts": found["ts"]}

    def _reply(self, notice: Notice, root: Reference) -> None:
        if self._posted("conversations.replies", notice, root):
            return
        thread = {"channel": root["channel"], "thread_ts": root["ts"]}
        message = slack_reply(notice) | _marked(notice) | thread
        self._api.call("chat.postMessage", message)

    def _posted(
        self, method: str, notice: Notice, root: Reference
    ) -> Mapping[str, Any]:
        """The message of an earlier attempt whose answer was lost; empty if there is
        none, if none can be, or if the bot may not look."""
        if not notice.attempts:
            return {}
        query = {
            "channel": root.get("channel", self._settings.channel),
            "oldest": f"{notice.alert.at.timestamp():.6f}",
            "include_all_metadata": "true",
            "limit": 200,
        } | ({"ts": root["ts"]} if root else {})
        try:
            messages = self._api.ask(method, query).get("messages", [])
        except DeliveryError as error:
            if error.retryable:
                raise
            return {}
        marked = [m for m in messages if _mark_of(m) == notice.key]
        return {"ts": marked[0]["ts"]} if marked else {}


def _marked(notice: Notice) -> dict[str, Any]:
    """Metadata of a message, which people do not see: what notice it is."""
    payload = {"key": notice.key}
    return {"metadata": {"event_type": _EVENT, "event_payload": payload}}


def _mark_of(message: Mapping[str, Any]) -> str | None:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    key = payload.get("key")
    return key if isinstance(key, str) else None


CHANNEL = ChannelType(
    settings=SlackBotSettings,
    open=SlackBot,
    rate=Rate(1, burst=3),
    pictures=SlackPictures,
)
