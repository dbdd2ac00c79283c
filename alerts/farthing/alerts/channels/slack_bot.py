"""Slack, by a bot token: one message per alert, kept up to date, with a thread.

The first notice is posted; each later one brings that message up to date and says in
its thread what happened. The bot needs the scope `chat:write`. With `channels:history`
too (`groups:history` for private channels), an attempt whose answer was lost is looked
for before it is made again, and nothing is posted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from farthing.alerts.alert import Notice
from farthing.alerts.channel import (
    ChannelSettings,
    ChannelType,
    Clock,
    Rate,
    Reference,
    Url,
)
from farthing.alerts.message_slack import slack_message, slack_reply
from farthing.alerts.post import FORM_TYPE, JSON_TYPE, Poster, as_json
from farthing.alerts.secret import Secret
from farthing.errors import DeliveryError, Reason

_EVENT: Final = "farthing_notice"
_REASONS: Final[Mapping[str, Reason]] = {
    **dict.fromkeys(("ratelimited", "rate_limited"), Reason.RATE_LIMITED),
    **dict.fromkeys(
        ("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        Reason.SERVER_ERROR,
    ),
    **dict.fromkeys(
        (
            "access_denied",
            "account_inactive",
            "ekm_access_denied",
            "invalid_auth",
            "missing_scope",
            "no_permission",
            "not_allowed_token_type",
            "not_authed",
            "org_login_required",
            "token_expired",
            "token_revoked",
        ),
        Reason.UNAUTHORIZED,
    ),
    **dict.fromkeys(
        ("channel_not_found", "not_in_channel", "is_archived", "thread_not_found"),
        Reason.NOT_FOUND,
    ),
    **dict.fromkeys(
        ("msg_too_long", "msg_blocks_too_long", "too_many_attachments"),
        Reason.TOO_LARGE,
    ),
}
"""Slack's word for what is wrong -> ours; what is not here is `rejected`. Source: the
errors of chat.postMessage and chat.update, docs.slack.dev/reference/methods."""
_CANNOT_UPDATE: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed"}
)


class SlackBotSettings(ChannelSettings):
    """`channel` is the channel's id, as in C0123456789; `token` the bot's, xoxb-…"""

    token: Secret
    channel: str
    api_url: Url = "https://slack.com/api"


class SlackBot:
    """Keeps one message per alert in a channel."""

    def __init__(self, settings: SlackBotSettings, _clock: Clock) -> None:
        self._settings = settings
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())

    def send(self, notice: Notice, reference: Reference) -> Reference:
        """Post, or bring up to date and say so in the thread. Raises DeliveryError.

        The reference is the channel's id and the message's `ts`.
        """
        if "ts" not in reference:
            return self._post_root(notice)
        try:
            root = {"channel": reference["channel"], "ts": reference["ts"]}
            self._call("chat.update", slack_message(notice) | root)
        except _SlackError as error:
            if error.word not in _CANNOT_UPDATE:
                raise
            return self._post_root(notice)  # somebody deleted it, or it is too old
        self._reply(notice, root)
        return root

    def close(self) -> None:
        """Close its connection."""
        self._poster.close()

    def _post_root(self, notice: Notice) -> Reference:
        found = self._posted("conversations.history", notice, {})
        channel = found.get("channel", self._settings.channel)
        if "ts" not in found:
            message = slack_message(notice) | _marked(notice) | {"channel": channel}
            found = self._call("chat.postMessage", message)
        return {"channel": found.get("channel", channel), "ts": found["ts"]}

    def _reply(self, notice: Notice, root: Reference) -> None:
        if self._posted("conversations.replies", notice, root):
            return
        thread = {"channel": root["channel"], "thread_ts": root["ts"]}
        message = slack_reply(notice) | _marked(notice) | thread
        self._call("chat.postMessage", message)

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
            messages = self._ask(method, query).get("messages", [])
        except DeliveryError as error:
            if error.retryable:
                raise
            return {}
        marked = [m for m in messages if _mark_of(m) == notice.key]
        return {"ts": marked[0]["ts"]} if marked else {}

    def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A method that writes: those take JSON."""
        return self._post(method, as_json(dict(arguments)), JSON_TYPE)

    def _ask(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A method that reads: those take forms only."""
        return self._post(method, urlencode(arguments).encode(), FORM_TYPE)

    def _post(self, method: str, body: bytes, content_type: str) -> dict[str, Any]:
        token = self._settings.token.get_secret_value()
        answer = self._poster.post(
            f"{self._settings.api_url.rstrip('/')}/{method}",
            body,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": content_type,
            },
        ).json()
        if answer.get("ok") is not True:
            raise _SlackError(method, str(answer.get("error", "no error is named")))
        return answer


class _SlackError(DeliveryError):
    """`ok: false`, with Slack's word for it."""

    def __init__(self, method: str, word: str) -> None:
        reason = _REASONS.get(word, Reason.REJECTED)
        super().__init__(reason, f"{method}: {word[:100]}")
        self.word = word


def _marked(notice: Notice) -> dict[str, Any]:
    """Metadata of a message, which people do not see: what notice it is."""
    payload = {"key": notice.key}
    return {"metadata": {"event_type": _EVENT, "event_payload": payload}}


def _mark_of(message: Mapping[str, Any]) -> str | None:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    key = payload.get("key")
    return key if isinstance(key, str) else None


CHANNEL = ChannelType(settings=SlackBotSettings, open=SlackBot, rate=Rate(1, burst=3))
