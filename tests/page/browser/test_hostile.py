"""Names from strangers: shown as they are, never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from farthing.collector.store.client import Address, Store
from farthing.collector.web.page.frame import NAV
from tests.page.browser.conftest import Watched, drawn, kept, serving
from tests.page.ledgers import call, loaded

NAMES: Final = (
    "<script>alert(1)</script>",
    "</script></style><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "'; DROP TABLE spans; --",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} %00 \\ ../..?a=b&c#d",
    "\u202egnp.exe \u2067 مرحبا",
    f"{'long ' * 2000}end",
)


@pytest.fixture(scope="module")
def hostile_site(
    chromium: Browser, engine_folder: Path, ledger_store: Store
) -> Iterator[str]:
    """A page over runs of which every tag is such a name, and models too, which then
    have no price."""
    store = Store(Address(path=engine_folder, database="page_hostile"))
    loaded(
        store,
        *(call(run=name, tags=name) for name in NAMES),
        *(call(run=name, tags=name, model=name) for name in NAMES),
    )
    with serving(store.address) as url:
        yield url
    store.close()


def test_hostile_names_are_text(watched: Watched, hostile_site: str) -> None:
    """On every page such names add no element, open no dialog and break no policy, and
    charts draw them; in the table of runs each is there to be read."""
    tab = watched.tab("about:blank")
    for path, _ in NAV.values():
        tab.goto(f"{hostile_site}{path}?range=1d")
        drawn(tab)
        assert tab.locator("main img, main script:not(.chart-spec)").count() == 0
        assert tab.locator("[onload], [onerror]").count() == 0
        assert tab.locator("a[href^='javascript:']").count() == 0
    tab.goto(f"{hostile_site}/runs?range=1d", wait_until="commit")
    expect(tab.locator("footer")).to_be_attached()
    shown = tab.locator("#runs td:first-child").all_inner_texts()
    for name in NAMES:
        assert any(text.startswith(name[:50].strip()) for text in shown), name
    kept(drawn(tab), "hostile")


def test_hostile_runs_can_be_opened(watched: Watched, hostile_site: str) -> None:
    """A run with such a name has a page, to which its link leads."""
    tab = watched.tab(f"{hostile_site}/runs?range=1d")
    links = tab.locator("#runs td:first-child a")
    urls = [link.get_attribute("href") for link in links.all()]
    assert len(urls) == len(NAMES)
    headings = set()
    for url in urls:
        tab.goto(f"{hostile_site}{url}")
        expect(tab.locator("#run_steps tbody tr")).to_have_count(2)
        headings.add(tab.locator("h1 bdi").text_content())
    assert headings == set(NAMES)
