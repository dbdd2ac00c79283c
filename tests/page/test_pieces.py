"""A page is sent as far as it is known, for its questions take their time."""

from __future__ import annotations

import asyncio
import threading
import zlib
from typing import Any, Final

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from farthing.collector.store.client import Store
from farthing.collector.web.page import asking, boards
from tests.page.conftest import browsing
from tests.page.html import read
from tests.page.ledgers import call, loaded

_SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "method": "GET",
    "scheme": "http",
    "server": ("127.0.0.1", 80),
    "path": "/",
    "root_path": "",
    "query_string": b"range=1d",
    "headers": [
        (b"host", b"127.0.0.1"),
        (b"accept", b"text/html"),
        (b"accept-encoding", b"gzip"),
    ],
}


def test_what_is_known_is_sent_before_the_rest(
    new_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a panel is asked for, all that stands above it is with the browser already,
    compressed; the rest follows when the answer is there."""
    loaded(new_store, call(run="a"))
    may_answer = threading.Event()
    answer = asking.answer

    def slow_answer(store: Store, name: str, *rest: Any) -> asking.Answer:
        if name == "task_types":
            may_answer.wait()
        return answer(store, name, *rest)

    monkeypatch.setattr(asking, "answer", slow_answer)
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    before, after = "", ""

    async def send(message: Message) -> None:
        nonlocal before, after
        text = unzip.decompress(message.get("body", b"")).decode()
        if may_answer.is_set():
            after += text
            return
        before += text
        if 'data-panel="spend_by_model"' in before:
            may_answer.set()

    async def receive() -> Message:
        return await asyncio.Future()

    with browsing(new_store.address) as client:

        async def ask() -> None:
            await client.app(dict(_SCOPE), receive, send)

        try:
            asyncio.run(ask())
        finally:
            may_answer.set()
    assert "page.css" in before
    assert "<h1>Overview</h1>" in before
    assert 'id="task_types"' not in before
    whole = read(before + after)
    assert whole.one("section", id="task_types").one("tbody").all("tr")


def test_what_fails_halfway_is_told_where_it_stands(
    new_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error that nobody foresaw, after the beginning was sent, ends the page with
    words; what came before it stands, and the log has the error."""
    loaded(new_store, call(run="a"))
    monkeypatch.setattr(boards, "table", lambda *_: 1 / 0)
    with browsing(new_store.address) as client:
        visitor: TestClient = client
        answer = visitor.get("/?range=1d")
    page = read(answer.text)
    assert page.one("h1").text == "Overview"
    assert page.all("section", class_="tile")
    told = page.one("section", role="alert").text
    assert "a bug of Farthing (ZeroDivisionError)" in told
    assert "halfway" in caplog.text
