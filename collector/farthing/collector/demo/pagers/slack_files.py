"""Slack's files: a place to send one to, the sending, and what was shared.

Answers are those of docs.slack.dev (files.getUploadURLExternal, working with files).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farthing.collector.demo.pagers.server import Reply, Request


@dataclass(slots=True)
class _File:
    name: str
    length: int
    content: bytes = b""


@dataclass(slots=True)
class SlackFiles:
    """Files by their id, whether somebody sees them or not."""

    _files: dict[str, _File] = field(default_factory=dict)

    def place(self, arguments: Mapping[str, Any], *, host: str) -> Reply:
        """Where a file of this name and length may be sent to."""
        length = int(arguments.get("length", 0))
        if not length or not arguments.get("filename"):
            return Reply(200, {"ok": False, "error": "missing_argument"})
        file_id = f"F{len(self._files):010d}"
        self._files[file_id] = _File(arguments["filename"], length)
        url = f"http://{host}/upload/v1/{file_id}"
        return Reply(200, {"ok": True, "upload_url": url, "file_id": file_id})

    def take(self, request: Request) -> Reply:
        """What is sent to such a place; it needs no token."""
        file = self._files.get(request.path.rpartition("/")[2])
        if file is None or len(request.body) != file.length:
            return Reply(500, "error")
        file.content = request.body
        return Reply(200, f"OK - {file.length}")

    def shared(self, told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """The files as a message shows them; None if one of them was not sent."""
        found = [(each, self._files.get(str(each.get("id")))) for each in told]
        if not all(file and file.content for _, file in found):
            return None
        return [
            {"id": each["id"], "name": file.name, "title": each.get("title")}
            for each, file in found
            if file
        ]

    def content(self, file_id: str) -> bytes:
        """What was sent."""
        return self._files[file_id].content
