"""Who may look: everybody on this machine, or who shows the collector's token.

A browser shows it once, in a form; the cookie that it gets instead is a signature that
ends, so the token itself is in no cookie and in no URL.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from farthing.collector.web.clickhouse_request import header_credentials
from farthing.collector.web.hosts import is_own_name

COOKIE: Final = "farthing_session"
LASTS_S: Final = 7 * 24 * 3600
_PURPOSE: Final = b"farthing page session"
_LONGEST_FORM: Final = 10_000


class Access:
    """Decides over requests. `clock` gives seconds since the epoch."""

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._token = token
        self._clock = clock

    @property
    def is_open(self) -> bool:
        """Whether no token is needed; then only this machine's names are answered."""
        return self._token is None

    def is_foreign(self, request: Request) -> bool:
        """Whether a page without a token is asked for by a name that may be anybody's:
        a web page can make its own name point at loopback and then read answers."""
        return self.is_open and not is_own_name(request.headers.get("host", ""))

    def is_allowed(self, request: Request) -> bool:
        """Whether the request shows the token, or a cookie that stands for it."""
        if self._token is None or self._is_signed(request.cookies.get(COOKIE, "")):
            return True
        given = header_credentials(request)
        return given is not None and self.is_token(given)

    def is_token(self, given: str) -> bool:
        """Whether it is the collector's token."""
        assert self._token is not None
        return hmac.compare_digest(given.encode(), self._token.encode())

    def let_in(self, response: Response, *, secure: bool) -> None:
        """Give the browser its cookie."""
        until = str(int(self._clock()) + LASTS_S)
        response.set_cookie(
            COOKIE,
            f"{until}.{self._signature(until)}",
            max_age=LASTS_S,
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def let_out(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    def _is_signed(self, cookie: str) -> bool:
        until, _, signature = cookie.partition(".")
        genuine = hmac.compare_digest(
            signature.encode(), self._signature(until).encode()
        )
        return genuine and until.isdecimal() and self._clock() < int(until)

    def _signature(self, until: str) -> str:
        assert self._token is not None
        key = self._token.encode()
        return hmac.new(key, _PURPOSE + until.encode(), hashlib.sha256).hexdigest()


def is_cross_site(request: Request) -> bool:
    """Whether a link of another site led here: browsers then keep a strict cookie
    back, so who is let in already looks like a stranger."""
    return request.headers.get("sec-fetch-site") == "cross-site"


def is_embedded_elsewhere(request: Request) -> bool:
    """Whether another site's page asks, and not a person who followed its link: a page
    that is open would put its questions to the ledger."""
    mode = request.headers.get("sec-fetch-mode", "navigate")
    return is_cross_site(request) and mode != "navigate"


def own_path(url: str) -> str:
    """A path of ours, whatever was given: login leads nowhere else."""
    try:
        parts = urlsplit(url.replace("\\", "/"))
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return "/"
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


async def field(request: Request, name: str) -> str:
    """A field of a short form; empty where there is none. Raises HTTPException."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise HTTPException(413, "This is no form of the page.")
    fields = parse_qs(body.decode(errors="replace"))
    return fields.get(name, [""])[0].strip()
