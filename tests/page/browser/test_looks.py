"""Every page as somebody sees it: light and dark, wide and narrow, with pictures."""

from __future__ import annotations

from typing import Final

import pytest

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.web.page.frame import NAV
from tests.page.browser.conftest import PHONE, Watched, drawn, findings, kept

PAGES: Final = {name: path for name, (path, _) in NAV.items()} | {
    "one-run": f"/runs/{LOOP_RUN_ID}"
}


@pytest.mark.parametrize("name", PAGES)
def test_how_a_page_looks(watched: Watched, site: str, name: str) -> None:
    """A page draws its charts without a complaint; axe finds nothing serious, in the
    dark neither; and on a phone nothing is wider than the screen but what scrolls."""
    tab = drawn(watched.tab(f"{site}{PAGES[name]}"))
    kept(tab, f"{name}-light")
    assert findings(tab) == []
    tab.emulate_media(color_scheme="dark")
    kept(tab, f"{name}-dark")
    assert findings(tab, "color-contrast") == []
    tab.set_viewport_size(PHONE)
    kept(tab, f"{name}-phone")
    wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
