"""Slack's Web API, as a bot calls it: arguments in, an object or a reason out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from farthing.alerts.channel import ChannelSettings, Url
from farthing.alerts.post import FORM_TYPE, JSON_TYPE, Poster, as_json
from farthing.alerts.secret import Secret
from farthing.errors import DeliveryError, Reason

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
        (
            "file_upload_size_restricted",
            "msg_blocks_too_long",
            "msg_too_long",
            "too_many_attachments",
        ),
        Reason.TOO_LARGE,
    ),
}
"""Slack's word for what is wrong -> ours; what is not here is `rejected`. Source: the
errors of chat.postMessage, chat.update, files.getUploadURLExternal and
files.completeUploadExternal, docs.slack.dev/reference/methods."""


class SlackBotSettings(ChannelSettings):
    """`channel` is the channel's id, as in C0123456789; `token` the bot's, xoxb-…"""

    token: Secret
    channel: str
    api_url: Url = "https://slack.com/api"


class SlackError(DeliveryError):
    """`ok: false`, with Slack's word for it."""

    def __init__(self, method: str, word: str) -> None:
        reason = _REASONS.get(word, Reason.REJECTED)
        super().__init__(reason, f"{method}: {word[:100]}")
        self.word = word


class SlackApi:
    """One connection. Every method raises DeliveryError, SlackError if Slack says no.
    Use it from one thread at a time."""

    def __init__(self, settings: SlackBotSettings) -> None:
        self._settings = settings
        self._poster = Poster(timeout_s=settings.timeout_s, secrets=settings.secrets())

    def call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A method that writes: those take JSON."""
        return self._post(method, as_json(dict(arguments)), JSON_TYPE)

    def ask(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A method that reads: those take forms only."""
        return self._post(method, urlencode(arguments).encode(), FORM_TYPE)

    def upload(self, url: str, content: bytes) -> None:
        """Send a file to where Slack wants it; the address is a secret, and the token
        does not go there."""
        settings = self._settings
        secrets = [*settings.secrets(), url]
        poster = Poster(timeout_s=settings.timeout_s, secrets=secrets)
        try:
            poster.post(url, content, headers={"Content-Type": "image/png"})
        finally:
            poster.close()

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

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
            raise SlackError(method, str(answer.get("error", "no error is named")))
        return answer
