"""Who may look, and what every answer says of itself."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.store.client import Store
from farthing.collector.web.page.access import COOKIE, LASTS_S, own_path
from farthing.collector.web.page.frame import NAV
from tests.page.conftest import browsing
from tests.page.html import read

TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def guarded(demo_store: Store) -> Iterator[TestClient]:
    with browsing(demo_store.address, token=TOKEN) as client:
        yield client


@pytest.fixture
def stranger(guarded: TestClient) -> TestClient:
    """A browser that was never here."""
    guarded.cookies.clear()
    return guarded


def test_a_stranger_is_asked_for_the_token(stranger: TestClient) -> None:
    """Without the token every page leads to the form, which leads back."""
    for path in ("/?range=1d", "/runs", f"/runs/{LOOP_RUN_ID}", "/panels/runs.csv"):
        answer = stranger.get(path)
        assert answer.status_code == 303, path
        login = answer.headers["location"]
        form = read(stranger.get(login).text).one("form", class_="login")
        entered = stranger.post(form.attributes["action"], data={"token": TOKEN})
        assert entered.headers["location"] == path
        stranger.cookies.clear()


def test_the_cookie_stands_for_the_token(stranger: TestClient) -> None:
    """It is kept from scripts and from other sites, ends, and does not hold the token;
    one of another time or make opens nothing."""
    answer = stranger.post("/login", data={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    for told in ("HttpOnly", "SameSite=strict", f"Max-Age={LASTS_S}", "Path=/"):
        assert told in cookie
    assert TOKEN not in cookie
    assert stranger.get("/runs").status_code == 200
    until, _, signature = stranger.cookies[COOKIE].partition(".")
    for forged in (f"{int(until) + 1}.{signature}", f"{until}.", "x", ""):
        stranger.cookies.clear()
        stranger.cookies.set(COOKIE, forged)
        assert stranger.get("/runs").status_code == 303
    stranger.cookies.clear()


def test_a_wrong_token_is_told(stranger: TestClient) -> None:
    """Nobody is let in by another token, which is not repeated."""
    answer = stranger.post("/login", data={"token": "<wrong>"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "This is not the collector's token." in answer.text
    assert "wrong&gt;" not in answer.text


def test_programs_send_the_token_in_a_header(stranger: TestClient) -> None:
    """As to ClickHouse's interface, but never in a URL."""
    csv = {"accept": "text/csv"}
    assert stranger.get("/panels/runs.csv", headers=csv).status_code == 401
    url = f"/panels/runs.csv?password={TOKEN}"
    assert stranger.get(url, headers=csv).status_code == 401
    bearer = {**csv, "authorization": f"Bearer {TOKEN}"}
    assert stranger.get("/panels/runs.csv", headers=bearer).status_code == 200


def test_a_link_from_elsewhere_leads_in(stranger: TestClient) -> None:
    """A browser keeps the cookie back when a link of a chat leads here: the page comes
    back to itself before it asks for the token."""
    path = f"/runs/{LOOP_RUN_ID}?range=7d"
    answer = stranger.get(path, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert f"url={path}" in answer.text
    assert "$" not in answer.text


def test_signing_out(stranger: TestClient) -> None:
    """The button ends it."""
    stranger.post("/login", data={"token": TOKEN})
    assert read(stranger.get("/").text).one("form", action="/logout")
    stranger.post("/logout")
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/runs?range=1d", "/runs?range=1d"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("runs", "/"),
        ("//[", "/"),
    ],
)
def test_login_leads_nowhere_else(given: str, path: str) -> None:
    """After the login one is on this page, whatever the URL says."""
    assert own_path(given) == path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4319"])
def test_a_name_that_points_here_reads_nothing(web: TestClient, host: str) -> None:
    """Without a token only this machine's own names are answered (DNS rebinding)."""
    answer = web.get("/", headers={"host": host})
    assert answer.status_code == 403
    assert "FARTHING_TOKEN" in answer.text
    for own in ("127.0.0.1:4319", "localhost:4319", "[::1]:4319"):
        assert web.get("/dashboards/alerts", headers={"host": own}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [*(url for url, _ in NAV.values()), f"/runs/{LOOP_RUN_ID}", "/nowhere", "/runs/no"],
)
def test_nothing_is_inline_and_nothing_is_elsewhere(web: TestClient, path: str) -> None:
    """Every page forbids other hosts and inline scripts and styles, and has none."""
    answer = web.get(path)
    policy = dict(
        part.split(" ", 1)
        for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    for element in read(answer.text).all():
        told = element.attributes
        assert "style" not in told
        assert not [name for name in told if name.startswith("on")]
        assert element.name != "style"
        if element.name == "script":
            assert told.get("src") or told["type"] == "application/json"
        for name in ("src", "href", "action"):
            assert re.match(r"[/#]|$", told.get(name, "")), told


def test_files_are_kept_by_browsers(web: TestClient) -> None:
    """Styles and scripts have their hash in the URL and are loaded once; compressed
    where the browser takes that; asked again, they have not changed."""
    page = read(web.get("/").text)
    urls = [link.attributes["href"] for link in page.all("link")]
    urls += [s.attributes["src"] for s in page.all("script") if "src" in s.attributes]
    assert len(urls) >= 4
    for url in urls:
        answer = web.get(url)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        tag = {"if-none-match": answer.headers["etag"]}
        assert web.get(url, headers=tag).status_code == 304
        assert web.get(url.partition("?")[0]).headers["cache-control"] == "no-cache"
        assert answer.headers["content-encoding"] == "gzip"
        plain = web.get(url, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
        assert len(gzip.compress(plain.content)) < 400_000


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
    ],
)
def test_other_sites_cannot_ask_an_open_page(
    web: TestClient, site: str, mode: str, status: int
) -> None:
    """A picture or a script of another site that leads here asks the ledger nothing;
    a person who follows a link does."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert web.get("/runs?range=all", headers=headers).status_code == status
