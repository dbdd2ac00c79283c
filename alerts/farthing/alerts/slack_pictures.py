"""Pictures in the thread of a Slack bot's message.

Three steps, docs.slack.dev/messaging/working-with-files: ask where to send the file,
send it there, share it in the thread. Nobody sees it before the last. One whose answer
was lost is looked for in the thread, by its file's name, before it is shared again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from farthing.alerts.alert import Alert, Notice
from farthing.alerts.channel import Reference
from farthing.alerts.message import clip
from farthing.alerts.slack_api import SlackApi, SlackBotSettings, SlackError
from farthing.errors import DeliveryError

_log = logging.getLogger(__name__)

_TAKES_NONE: Final = frozenset(
    {
        "file_type_not_allowed",
        "file_uploads_disabled",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
    }
)
"""A workspace or bot that takes no files: alerts go without pictures then."""
_MAX_TITLE: Final = 200


class SlackPictures:
    """Adds pictures to the messages of a bot."""

    def __init__(self, settings: SlackBotSettings) -> None:
        self._api = SlackApi(settings)
        self._said_why = False

    def post(self, notice: Notice, png: bytes, reference: Reference) -> None:
        """Share `png` once in the thread of the message. Raises DeliveryError."""
        if notice.attempts and self._is_there(notice.alert, reference):
            return
        try:
            self._share(notice.alert, png, reference)
        except SlackError as error:
            if error.word not in _TAKES_NONE:
                raise
            self._say_why(error)

    def close(self) -> None:
        """Close its connection."""
        self._api.close()

    def _share(self, alert: Alert, png: bytes, reference: Reference) -> None:
        title = clip(f"What {alert.subject} costs, call by call", _MAX_TITLE)
        file = {"filename": _name(alert), "length": len(png), "alt_txt": title}
        place = self._api.ask("files.getUploadURLExternal", file)
        self._api.upload(place["upload_url"], png)
        shared = {
            "files": [{"id": place["file_id"], "title": title}],
            "channel_id": reference["channel"],
            "thread_ts": reference["ts"],
        }
        self._api.call("files.completeUploadExternal", shared)

    def _is_there(self, alert: Alert, reference: Reference) -> bool:
        """Whether an earlier attempt left it; no, where the bot may not look."""
        thread = {
            "channel": reference["channel"],
            "ts": reference["ts"],
            "limit": 200,
        }
        try:
            messages = self._api.ask("conversations.replies", thread)["messages"]
        except DeliveryError as error:
            if error.retryable:
                raise
            return False
        return any(_name(alert) in _names(message) for message in messages)

    def _say_why(self, error: SlackError) -> None:
        """Once: it will be so for each alert."""
        if not self._said_why:
            _log.warning(
                "Slack takes no pictures (%s): give the bot the scope files:write",
                error,
            )
        self._said_why = True


def _name(alert: Alert) -> str:
    return f"cost-{alert.id}.png"


def _names(message: Mapping[str, Any]) -> set[str]:
    return {str(file.get("name")) for file in message.get("files") or ()}
