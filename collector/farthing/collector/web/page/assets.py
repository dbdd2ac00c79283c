"""Styles and scripts: each under a URL with its own hash, so it is loaded once."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from subprocess import SubprocessError
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

log = logging.getLogger(__name__)

_FOREVER: Final = "public, max-age=31536000, immutable"
_LEVEL: Final = 6
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in the two forms in which it is sent, and its hash."""

    media_type: str
    plain: bytes
    zipped: bytes
    version: str

    @classmethod
    def of(cls, content: bytes, media_type: str, *, version: str = "") -> Asset:
        """`content` with what follows from it, its version too where none is given."""
        return cls(
            media_type,
            content,
            gzip.compress(content, _LEVEL, mtime=0),
            version or hashlib.sha256(content).hexdigest()[:16],
        )

    def response(self, request: Request) -> Response:
        """The answer to a request for it."""
        tag = f'"{self.version}"'
        headers = {
            "ETag": tag,
            "Vary": "Accept-Encoding",
            "Cache-Control": _FOREVER
            if request.query_params.get("v") == self.version
            else "no-cache",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = self.plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = self.zipped, "gzip"
        return Response(body, headers=headers, media_type=self.media_type)


@dataclass(frozen=True, slots=True)
class Made:
    """A file that takes long to make; its version is known before.

    `folder` keeps it for the next process, where it may be written.
    """

    version: str
    make: Callable[[], bytes]
    folder: Path | None = None

    def content(self, name: str) -> bytes:
        """The file's bytes, kept or made now."""
        if self.folder is None:
            return self.make()
        kept = self.folder / f"{self.version}-{name}"
        with suppress(OSError):
            return kept.read_bytes()
        content = self.make()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            half = kept.with_suffix(f".{os.getpid()}")
            half.write_bytes(content)
            half.replace(kept)
        return content


class Assets:
    """The files of `static/`, and those that are `made` when first asked for."""

    def __init__(self, made: Mapping[str, Made]) -> None:
        self._made = made
        self._lock = threading.Lock()
        self._known = {
            path.name: Asset.of(path.read_bytes(), _media_type(path.name))
            for path in (files(__package__) / "static").iterdir()
            if path.name.endswith(tuple(_TYPES))
        }

    def asset(self, name: str) -> Asset:
        """The file of a name; a KeyError for another. Making one takes its time."""
        if name in self._made and name not in self._known:
            with self._lock:
                if name not in self._known:
                    self._known[name] = self._made_now(name)
        return self._known[name]

    def make_ahead(self) -> None:
        """Begin to make what is not there yet; the first request waits for the rest."""
        for name in self._made:
            threading.Thread(target=self._try, args=(name,), daemon=True).start()

    def _try(self, name: str) -> None:
        try:
            self.asset(name)
        except (OSError, SubprocessError) as error:
            log.warning("%s cannot be made: %s", name, error)

    def _made_now(self, name: str) -> Asset:
        made = self._made[name]
        return Asset.of(made.content(name), _media_type(name), version=made.version)

    def url(self, name: str) -> str:
        """Where it is, under its version."""
        known = self._made.get(name) or self._known.get(name)
        return f"/static/{name}?v={known.version}" if known else f"/static/{name}"


def _media_type(name: str) -> str:
    return _TYPES[f".{name.rpartition('.')[2]}"]
