"""Every page as somebody sees it: light and dark, wide and narrow, with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import ViewportSize

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.web.page.frame import NAV
from tests.page.browser.conftest import (
    BUILD,
    PHONE,
    WIDE,
    Watched,
    drawn,
    findings,
    kept,
)

DOCS: Final = Path(__file__).parents[3] / "docs" / "images"
PICTURES: Final[dict[str, tuple[str, Literal["light", "dark"]]]] = {
    "overview": ("/", "light"),
    "run": (f"/runs/{LOOP_RUN_ID}", "dark"),
}
_PICTURE: Final[ViewportSize] = {"width": 1280, "height": 900}
_MOST_BYTES: Final = 200_000
PAGES: Final = {name: path for name, (path, _) in NAV.items()} | {
    "one-run": f"/runs/{LOOP_RUN_ID}"
}


@pytest.mark.parametrize("name", PAGES)
def test_how_a_page_looks(watched: Watched, site: str, name: str) -> None:
    """A page draws its charts without a complaint; axe finds nothing serious, by any
    rule, nor by that of colours when it is dark; on a phone nothing is wider than the
    screen but what scrolls."""
    tab = drawn(watched.tab(f"{site}{PAGES[name]}"))
    kept(tab, f"{name}-light")
    tab.emulate_media(color_scheme="dark")
    kept(tab, f"{name}-dark")
    tab.set_viewport_size(PHONE)
    kept(tab, f"{name}-phone")
    wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    tab.set_viewport_size(WIDE)
    assert findings(tab, rules=["color-contrast"]) == []
    tab.emulate_media(color_scheme="light")
    assert findings(tab) == []


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_documentation(
    watched: Watched, site: str, name: str, request: pytest.FixtureRequest
) -> None:
    """The pictures of docs/images can be taken anew (`make screenshots`) and are small;
    those that are there are small, too."""
    path, theme = PICTURES[name]
    folder = DOCS if request.config.getoption("--pictures") else BUILD / "docs"
    tab = watched.tab(f"{site}{path}")
    tab.emulate_media(color_scheme=theme)
    tab.set_viewport_size(_PICTURE)
    drawn(tab).set_viewport_size(_PICTURE)
    folder.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=folder / f"{name}.png")
    for picture in (folder / f"{name}.png", DOCS / f"{name}.png"):
        assert picture.stat().st_size < _MOST_BYTES
