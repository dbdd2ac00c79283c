"""Debian's Chromium in front of pages over real ledgers, watched for complaints."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from farthing.collector.receive.http_server import listen, serve_http
from farthing.collector.receive.settings import Limits
from farthing.collector.store.client import Address, Store
from farthing.collector.web.page.app import Page as Site
from farthing.economics.prices import load_catalogue
from tests.demo_week import NOW

BUILD: Final = Path(__file__).parents[3] / "build" / "screenshots"
CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None
)
WIDE: Final[ViewportSize] = {"width": 1440, "height": 1000}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
_PATIENCE_MS: Final = 60_000
"""After which a machine that is busy with other things counts as one that hangs."""
_HOST: Final = "127.0.0.1"
_TELL_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`refused by ${event.violatedDirective}: ${event.blockedURI}`));
"""
_THIN_OUT: Final = """
document.querySelectorAll("tbody tr:nth-child(n+5), .chart-view path:nth-child(n+5)")
  .forEach((one) => one.remove())
"""
"""Rows and bars are alike, and axe takes its time for each."""
_SERIOUS: Final = ("serious", "critical")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file: while it is open, the thread has an event
    loop that runs, so no other file's tests may share that time."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: `make tools` installs it, as root")
    # As root, Chromium runs without its sandbox or not at all.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*arguments, "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def serving(
    address: Address,
    *,
    token: str | None = None,
    clock: Callable[[], float] = NOW.timestamp,
) -> Iterator[str]:
    """The URL of a page over a ledger, served by the collector's own server on the
    loopback; its clock stands still at the demo's end."""
    site = Site(
        Store(address, writes=False),
        catalogue=load_catalogue,
        token=token,
        otlp_url="http://127.0.0.1:4318",
        clock=clock,
    )
    started = threading.Event()
    where: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        with listen(_HOST, 0, option="a test") as listener:
            where.append(f"http://{_HOST}:{listener.getsockname()[1]}")
            async with serve_http(site.app(), listener, limits=Limits(), tls=None):
                started.set()
                await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        yield where[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        site.close()


@pytest.fixture(scope="module")
def site(demo_store: Store, chromium: Browser) -> Iterator[str]:
    """A page over the demo's week."""
    with serving(demo_store.address) as url:
        yield url


@pytest.fixture(scope="module")
def empty_site(empty_store: Store, chromium: Browser) -> Iterator[str]:
    """A page over a ledger into which nothing was ever loaded."""
    with serving(empty_store.address) as url:
        yield url


@pytest.fixture(scope="module")
def profile(chromium: Browser) -> Iterator[BrowserContext]:
    """What the tabs of a file's tests share: what the browser has loaded before."""
    context = chromium.new_context(viewport=WIDE)
    context.add_init_script(_TELL_VIOLATIONS)
    yield context
    context.close()


@dataclass
class Watched:
    """Tabs of the browser; what they complained of and asked for."""

    browser: Browser
    profile: BrowserContext
    complaints: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def tab(self, url: str) -> Page:
        """A new tab at `url`, in the profile that the tests of a file share."""
        return self._watched(self.profile, url)

    def tab_of_its_own(self, url: str, **options: Any) -> Page:
        """A new tab at `url`, in a profile of its own, with options of a context."""
        context = self.browser.new_context(viewport=WIDE, **options)
        self.contexts.append(context)
        context.add_init_script(_TELL_VIOLATIONS)
        return self._watched(context, url)

    def close(self) -> None:
        """Close all tabs; what they stored goes with them."""
        for context in self.contexts:
            context.close()
        for page in self.profile.pages:
            page.close()
        self.profile.clear_cookies()

    def _watched(self, context: BrowserContext, url: str) -> Page:
        tab = context.new_page()
        tab.set_default_timeout(_PATIENCE_MS)
        tab.on("console", self._heard)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("dialog", self._asked)
        tab.on("request", lambda request: self.urls.append(request.url))
        tab.goto(url)
        return tab

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def elsewhere(self) -> list[str]:
        """Requests to anywhere but this machine."""
        return [url for url in self.urls if urlsplit(url).hostname != _HOST]


@pytest.fixture
def watched(chromium: Browser, profile: BrowserContext) -> Iterator[Watched]:
    """Tabs that must neither complain nor ask another machine for anything."""
    watched = Watched(chromium, profile)
    yield watched
    watched.close()
    assert watched.complaints == []
    assert watched.elsewhere() == []


def drawn(tab: Page) -> Page:
    """The tab, once all of its charts are drawn."""
    # A chart is drawn when it comes near: the whole page is made to.
    tab.set_viewport_size({"width": tab.evaluate("innerWidth"), "height": 4000})
    expect(tab.locator("figure.chart:not(.drawn)")).to_have_count(0)
    return tab


def kept(tab: Page, name: str) -> None:
    """A picture of the whole page in build/screenshots, once all of it has come."""
    tab.locator(".footer").wait_for(state="attached")
    high = tab.evaluate(
        "document.querySelector('.footer').getBoundingClientRect().bottom"
    )
    tab.set_viewport_size(
        {"width": tab.evaluate("innerWidth"), "height": int(high) + 1}
    )
    BUILD.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=BUILD / f"{name}.png", full_page=True)


def findings(tab: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds that is serious or worse, by some rules or by all. Of long tables
    little is left behind."""
    tab.evaluate(_THIN_OUT)
    chosen = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = Axe().run(tab, options={"resultTypes": ["violations"], **chosen})
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:300]}"
        for one in found.response["violations"]
        if one["impact"] in _SERIOUS
    ]
