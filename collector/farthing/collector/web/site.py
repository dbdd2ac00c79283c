"""One port for people and for programs: the page, and ClickHouse's HTTP interface."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_CLICKHOUSE: Final = frozenset({"/ping", "/replicas_status"})


def site(page: ASGIApp, clickhouse: ASGIApp | None) -> ASGIApp:
    """Both as one ASGI application; without `clickhouse`, the page alone.

    `/` is ClickHouse's, unless a browser asks for a page there.
    """
    if clickhouse is None:
        return page
    questions = clickhouse

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        app = questions if _is_for_clickhouse(scope) else page
        await app(scope, receive, send)

    return either


def _is_for_clickhouse(scope: Scope) -> bool:
    if scope["path"] in _CLICKHOUSE:
        return True
    return scope["path"] == "/" and not _is_browsing(scope)


def _is_browsing(scope: Scope) -> bool:
    """Whether somebody wants to see a page, rather than to ask in SQL."""
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    asks = "query" in parse_qs(scope["query_string"].decode("latin-1"))
    return scope["method"] in ("GET", "HEAD") and wants_page and not asks
