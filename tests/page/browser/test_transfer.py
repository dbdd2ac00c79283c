"""What a browser takes over the wire, counted by the browser itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.page.browser.conftest import Watched, drawn

MOST_BYTES: Final = 400_000
"""Of a first visit, compressed."""

_TIMES_SMALLER: Final = """
(([page]) => page.decodedBodySize / page.encodedBodySize)(
  performance.getEntriesByType("navigation"))
"""


@contextmanager
def counted(tab: Page) -> Iterator[dict[str, int]]:
    """Bytes of what goes over the wire, headers and all, by path."""
    bytes_of: dict[str, int] = defaultdict(int)
    path_of: dict[str, str] = {}
    network = tab.context.new_cdp_session(tab)

    def asked(event: dict[str, Any]) -> None:
        path_of[event["requestId"]] = urlsplit(event["request"]["url"]).path

    def loaded(event: dict[str, Any]) -> None:
        if event["encodedDataLength"]:
            bytes_of[path_of[event["requestId"]]] += int(event["encodedDataLength"])

    network.on("Network.requestWillBeSent", asked)
    network.on("Network.loadingFinished", loaded)
    network.send("Network.enable")
    yield bytes_of
    tab.wait_for_load_state("networkidle")
    network.detach()


def test_a_first_visit_and_the_next(watched: Watched, site: str) -> None:
    """The first page takes at most 400 kB with all that it needs, and so would that of
    all runs, which is the largest; what comes after is the pages alone, compressed."""
    tab = watched.tab_of_its_own("about:blank")
    with counted(tab) as first:
        tab.goto(site)
        drawn(tab)
    assert {path.partition(".")[0] for path in first} >= {"/", "/static/charts"}
    assert sum(first.values()) <= MOST_BYTES
    with counted(tab) as again:
        tab.goto(site)
        drawn(tab)
    assert set(again) == {"/"}
    with counted(tab) as runs:
        tab.goto(f"{site}/runs")
        drawn(tab)
    assert set(runs) == {"/runs"}
    files = sum(size for path, size in first.items() if path.startswith("/static/"))
    assert files + runs["/runs"] <= MOST_BYTES
    assert tab.evaluate(_TIMES_SMALLER) > 3
