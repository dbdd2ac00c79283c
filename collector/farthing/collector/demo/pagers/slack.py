"""Slack: incoming webhooks, and the methods that a bot posts and looks with.

Answers, limits and words for errors are those of docs.slack.dev (chat.postMessage,
chat.update, conversations.history and .replies, incoming webhooks, Block Kit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

from farthing.collector.demo.pagers.server import Reply, Request
from farthing.collector.demo.pagers.slack_files import SlackFiles

_MAX_TEXT: Final = 40_000
_MAX_BLOCKS: Final = 50
_MAX_SECTION: Final = 3_000
_MAX_FIELDS: Final = 10
_MAX_FIELD: Final = 2_000
_MAX_MESSAGE: Final = 13_000
"""At about so many characters a message is refused whatever its parts measure."""


@dataclass(slots=True)
class Post:
    """A message as it stands in a channel."""

    channel: str
    ts: str
    message: dict[str, Any]
    thread_ts: str = ""
    updates: int = 0

    @property
    def text(self) -> str:
        """What stands in it, markup and all."""
        return str(self.message.get("text", ""))


@dataclass(slots=True)
class SlackStandIn:
    """One workspace: `posts` in the order in which they were made.

    `token` is what a bot must show; `path` that of the webhook, which posts to
    `channel`; `scopes` what the bot may do.
    """

    token: str = "xoxb-loopback-token"  # noqa: S105 - made up
    path: str = "/services/T0000/B0000/loopbackpath"
    channel: str = "C0LOOPBACK"
    scopes: set[str] = field(
        default_factory=lambda: {"chat:write", "channels:history", "files:write"}
    )
    posts: list[Post] = field(default_factory=list)
    files: SlackFiles = field(default_factory=SlackFiles)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def answer(self, request: Request) -> Reply:
        """As hooks.slack.com and slack.com/api do."""
        if request.path.startswith("/services/"):
            return self._webhook(request)
        if request.path.startswith("/upload/"):
            return self.files.take(request)
        places = request.path == "/api/files.getUploadURLExternal"
        method = self._methods().get(request.path.removeprefix("/api/"))
        if method is None and not places:
            return _refused("unknown_method")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _refused("invalid_auth")
        arguments = _arguments(request)
        if arguments is None:
            return _refused("invalid_arguments")
        if method is None:
            return self._place(arguments, request)
        if arguments.get("channel", arguments.get("channel_id")) != self.channel:
            return _refused("channel_not_found")
        return method(arguments)

    def roots(self) -> list[Post]:
        """Messages that are in no thread."""
        return [post for post in self.posts if not post.thread_ts]

    def thread(self, root: Post) -> list[Post]:
        """What was answered to a message."""
        return [post for post in self.posts if post.thread_ts == root.ts]

    def _methods(self) -> Mapping[str, Callable[[dict[str, Any]], Reply]]:
        return {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._share,
        }

    def _webhook(self, request: Request) -> Reply:
        if request.path != self.path:
            return Reply(404, "no_service")
        try:
            message = request.json()
        except ValueError:
            return Reply(400, "invalid_payload")
        if word := problem(message):
            return Reply(400, word)
        self._add(message)
        return Reply(200, "ok")

    def _post(self, arguments: dict[str, Any]) -> Reply:
        if word := problem(arguments):
            return _refused(word)
        thread_ts = arguments.get("thread_ts", "")
        if thread_ts and not self._found(thread_ts):
            return _refused("thread_not_found")
        post = self._add(arguments, thread_ts=thread_ts)
        return Reply(200, {"ok": True, "channel": post.channel, "ts": post.ts})

    def _update(self, arguments: dict[str, Any]) -> Reply:
        post = self._found(arguments["ts"])
        if post is None:
            return _refused("message_not_found")
        if word := problem(arguments):
            return _refused(word)
        post.message = post.message | arguments
        post.updates += 1
        return Reply(200, {"ok": True, "channel": post.channel, "ts": post.ts})

    def _place(self, arguments: Mapping[str, Any], request: Request) -> Reply:
        if "files:write" not in self.scopes:
            return _refused("missing_scope")
        return self.files.place(arguments, host=request.headers["host"])

    def _share(self, arguments: dict[str, Any]) -> Reply:
        thread_ts = arguments.get("thread_ts", "")
        if thread_ts and not self._found(thread_ts):
            return _refused("thread_not_found")
        shared = self.files.shared(arguments.get("files", []))
        if shared is None:
            return _refused("file_not_found")
        self._add({"files": shared}, thread_ts=thread_ts)
        return Reply(200, {"ok": True, "files": shared})

    def _history(self, arguments: dict[str, Any]) -> Reply:
        return self._told(arguments, self.roots())

    def _replies(self, arguments: dict[str, Any]) -> Reply:
        root = self._found(arguments["ts"])
        if root is None:
            return _refused("thread_not_found")
        return self._told(arguments, [root, *self.thread(root)])

    def _told(self, arguments: Mapping[str, Any], posts: list[Post]) -> Reply:
        if "channels:history" not in self.scopes:
            return _refused("missing_scope")
        messages = [
            {
                "type": "message",
                "ts": post.ts,
                "text": post.text,
                "metadata": post.message.get("metadata"),
                "files": post.message.get("files", []),
            }
            for post in posts
            if float(post.ts) >= float(arguments.get("oldest", 0))
        ]
        newest_first = messages[::-1][: int(arguments.get("limit", 100))]
        return Reply(200, {"ok": True, "messages": newest_first, "has_more": False})

    def _add(self, message: dict[str, Any], *, thread_ts: str = "") -> Post:
        ts = f"9{next(self._numbers):09d}.000100"
        post = Post(self.channel, ts, dict(message), thread_ts)
        self.posts.append(post)
        return post

    def _found(self, ts: str) -> Post | None:
        return next((post for post in self.posts if post.ts == ts), None)


def _arguments(request: Request) -> dict[str, Any] | None:
    """None where they have a form that the method does not take: those that read take
    no JSON."""
    if request.headers.get("content-type", "").startswith("application/json"):
        reads = request.path.startswith(("/api/conversations.", "/api/files.get"))
        return None if reads else dict(request.json())
    return dict(parse_qsl(request.body.decode()))


def problem(message: Mapping[str, Any]) -> str:
    """Slack's word for what is wrong with a message; empty if it takes it."""
    blocks = [*message.get("blocks", []), *_attached(message)]
    if not message.get("text") and not blocks:
        return "no_text"
    if len(message.get("text", "")) > _MAX_TEXT:
        return "msg_too_long"
    if len(blocks) > _MAX_BLOCKS or not all(map(_is_block, blocks)):
        return "invalid_blocks"
    if sum(map(_length, blocks)) > _MAX_MESSAGE:
        return "msg_blocks_too_long"
    return ""


def _attached(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    attachments = message.get("attachments", [])
    return [block for each in attachments for block in each.get("blocks", [])]


def _is_block(block: Mapping[str, Any]) -> bool:
    fields = block.get("fields", [])
    text = block.get("text")
    return (
        block.get("type") == "section"
        and bool(text or fields)
        and (text is None or _is_text(text, _MAX_SECTION))
        and len(fields) <= _MAX_FIELDS
        and all(_is_text(each, _MAX_FIELD) for each in fields)
    )


def _is_text(text: Mapping[str, Any], size: int) -> bool:
    return (
        text.get("type") in {"mrkdwn", "plain_text"} and 0 < len(text["text"]) <= size
    )


def _length(block: Mapping[str, Any]) -> int:
    texts = [block.get("text"), *block.get("fields", [])]
    return sum(len(text["text"]) for text in texts if text)


def _refused(word: str) -> Reply:
    return Reply(200, {"ok": False, "error": word})
