"""The ways people go through the page, click by click."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from farthing.collector.demo.incidents import LOOP_RUN_ID
from farthing.collector.store.client import Store
from tests.page.browser.conftest import Watched, drawn, findings, kept, serving
from tests.page.ledgers import call, fill_many_runs, loaded

TOKEN: Final = "a-token-of-the-test"


def first_cells(tab: Page, panel: str) -> list[str]:
    """The first column of a panel's table."""
    return tab.locator(f"#{panel} tbody td:first-child").all_inner_texts()


def choice(tab: Page, variable: str) -> Locator:
    """What is chosen of a variable."""
    return tab.locator(f"select[name='{variable}']")


def test_from_all_spend_to_one_call(watched: Watched, site: str) -> None:
    """Overview, a kind of task, its runs, the run that loops, a call and its sum: each
    a click, and back again."""
    tab = watched.tab(site)
    tab.locator("#task_types").get_by_role("link", name="code-review").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Cost per task")
    expect(choice(tab, "task_type")).to_have_value("code-review")
    tab.get_by_role("link", name="its runs").click()
    tab.locator("#dearest_runs").get_by_role("link", name=LOOP_RUN_ID).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text(LOOP_RUN_ID)
    expect(tab.locator("#run_marks")).to_contain_text("run_tests")
    expect(drawn(tab).locator("#run_context svg")).to_contain_text("loop, 41 turns")
    tab.locator("#run_steps a[href*='/calls/']").first.click()
    expect(tab.get_by_role("main")).to_contain_text("told, and how it was read")
    assert findings(tab) == []
    kept(tab, "one-call")
    for _ in range(4):
        tab.go_back()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_bar_leads_to_its_runs(watched: Watched, site: str) -> None:
    """A click on a bar goes to the runs of its name and its time."""
    tab = drawn(watched.tab(site))
    tab.locator("#spend_by_model path[aria-roledescription='bar']").last.click()
    tab.wait_for_url("**/runs?*from=*")
    assert "model=" in tab.url


def test_what_a_bar_tells(watched: Watched, site: str) -> None:
    """Over a bar the page tells its exact cost."""
    tab = drawn(watched.tab(site))
    tab.locator("#spend_by_model path[aria-roledescription='bar']").last.hover()
    expect(tab.locator("#vg-tooltip-element.visible")).to_contain_text("$")


def test_a_filter_keeps_its_place(watched: Watched, site: str) -> None:
    """What is chosen is applied at once, without a new page, is in the URL, and can be
    taken back with the browser's own button."""
    tab = watched.tab(site)
    tab.evaluate("window.isTheSamePage = true")
    chosen = choice(tab, "business_unit")
    chosen.focus()
    chosen.select_option("finance")
    expect(tab).to_have_url(re.compile("business_unit=finance"))
    expect(tab.locator("#spend_by_unit svg")).not_to_contain_text("strategy")
    expect(chosen).to_be_focused()
    assert tab.evaluate("window.isTheSamePage")
    tab.go_back()
    expect(tab.locator("#spend_by_unit svg")).to_contain_text("strategy")
    expect(chosen).to_have_value("")


def test_a_table_is_sorted(watched: Watched, site: str) -> None:
    """A heading sorts, a second click turns it round, and its table stays in sight."""
    tab = watched.tab(site)
    heading = tab.locator("#task_types th a").first
    heading.click()
    expect(tab.locator("#task_types th[aria-sort='ascending']")).to_be_visible()
    names = first_cells(tab, "task_types")
    assert names == sorted(names)
    heading.click()
    expect(tab.locator("#task_types th[aria-sort='descending']")).to_be_visible()
    assert first_cells(tab, "task_types") == names[::-1]
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()


def test_by_keyboard(watched: Watched, site: str) -> None:
    """The first key goes past the menu, and a link in a table is reached and used."""
    tab = watched.tab(site)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to content")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("main")).to_be_focused()
    tab.locator("#task_types").get_by_role("link", name="code-review").focus()
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile("task_type=code-review"))


def test_the_theme_is_kept(watched: Watched, site: str) -> None:
    """The button goes from the system's theme to light to dark, and the next page has
    it from the server."""
    tab = watched.tab(site)
    button = tab.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(button).to_have_accessible_name("Theme: dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(background) == "rgb(15, 19, 24)"
    tab.get_by_role("link", name="Loops", exact=True).click()
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")


def test_without_scripts(watched: Watched, site: str) -> None:
    """Without JavaScript every chart is its table, filters have a button, headings
    sort, and nothing is there that would not work."""
    tab = watched.tab_of_its_own(site, java_script_enabled=False)
    expect(tab.locator("#spend_by_model tbody tr").first).to_be_visible()
    expect(tab.get_by_label("Refresh")).to_be_hidden()
    expect(tab.get_by_role("button", name="Theme")).to_be_hidden()
    choice(tab, "task_type").select_option("sql-gen")
    tab.get_by_role("button", name="Apply").click()
    expect(tab.locator("#task_types tbody tr")).to_have_count(1)
    tab.locator("#dearest_runs").get_by_role(
        "link", name=re.compile("^cost$", re.IGNORECASE)
    ).click()
    expect(tab.locator("#dearest_runs th[aria-sort]")).to_have_count(1)
    kept(tab, "overview-without-scripts")


def test_it_brings_itself_up_to_date(watched: Watched, new_store: Store) -> None:
    """Every 10 s, if that is chosen, only what differs is changed: place, focus,
    selection and what is open stay. It says when that fails, and rests unseen."""
    loaded(new_store, call(run="a", tokens=1_000_000))
    with serving(new_store.address) as url:
        tab = watched.tab_of_its_own("about:blank")
        tab.clock.install()
        tab.goto(f"{url}/?range=1d")
        tab.set_viewport_size({"width": 1200, "height": 500})
        spend = tab.locator("[data-panel='spend'] .value").first
        expect(spend).to_have_text("$1.251")
        tab.get_by_text("As a table").first.click()
        link = tab.locator("#dearest_runs a", has_text="a").first
        link.focus()
        tab.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
        tab.evaluate("scrollTo(0, 300)")
        tab.locator("[data-page='refresh'] select").evaluate(
            "(s) => { s.value = '10'; s.dispatchEvent(new Event('change')); }"
        )

        loaded(new_store, call(run="b", tokens=2_000_000))
        tab.clock.run_for(10_000)
        expect(spend).to_have_text("$3.752")
        expect(tab.locator("#dearest_runs tbody tr")).to_have_count(2)
        expect(link).to_be_focused()
        expect(tab.locator("#spend_by_model details.data")).to_have_attribute(
            "open", ""
        )
        assert tab.evaluate("[scrollY, String(getSelection())]") == [300, "Overview"]

        tab.route("**/*", lambda route: route.abort())
        tab.clock.run_for(10_000)
        expect(tab.get_by_role("alert")).to_contain_text("Not updated since")
        tab.unroute_all()
        tab.clock.run_for(10_000)
        expect(tab.get_by_role("alert")).to_be_hidden()
        watched.complaints.clear()  # the browser's own line about the failed request

        hide = "Object.defineProperty(document, 'hidden', {value: %s, writable: true});"
        hide += "document.dispatchEvent(new Event('visibilitychange'))"
        tab.evaluate(hide % "true")
        asked = len(watched.urls)
        tab.clock.run_for(60_000)
        assert len(watched.urls) == asked
        with tab.expect_request("**/?range=1d"):
            tab.evaluate(
                "document.hidden = false;"
                "document.dispatchEvent(new Event('visibilitychange'))"
            )


def test_nothing_yet(watched: Watched, empty_site: str) -> None:
    """A ledger without anything says how to send something."""
    tab = watched.tab(empty_site)
    expect(tab.get_by_role("main")).to_contain_text("Nothing has arrived yet")
    assert findings(tab) == []
    kept(tab, "nothing-yet")


def test_nothing_of_what_is_chosen(watched: Watched, site: str) -> None:
    """A choice that nothing meets says so in every panel, and can be cleared."""
    tab = watched.tab(f"{site}/?task_type=there-is-none")
    expect(tab.locator("#spend_by_model")).to_contain_text("Nothing in this range")
    kept(tab, "nothing-chosen")
    tab.get_by_role("link", name="Clear filters").click()
    expect(tab.locator("#spend_by_model svg")).to_be_visible()


def test_a_panel_fails_alone(watched: Watched, new_store: Store) -> None:
    """Where one question cannot be answered its panel says so; the others answer."""
    loaded(new_store, call(run="a"))
    new_store.command("DROP TABLE findings SYNC")
    with serving(new_store.address) as url:
        tab = watched.tab(url)
        expect(tab.locator("#findings .problem")).to_contain_text("ledger refuses")
        expect(tab.locator("#task_types tbody tr")).to_have_count(1)
        kept(tab, "a-panel-failed")


def test_the_token_is_asked_for(watched: Watched, demo_store: Store) -> None:
    """With a token nothing is shown before it is; then where one wanted to go."""
    with serving(demo_store.address, token=TOKEN) as url:
        tab = watched.tab(f"{url}/dashboards/loops?range=30d")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert findings(tab) == []
        kept(tab, "sign-in")
        tab.get_by_label("Token").fill("another")
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_role("alert")).to_contain_text("not the collector's token")
        assert all("403" in complaint for complaint in watched.complaints)
        watched.complaints.clear()
        tab.get_by_label("Token").fill(TOKEN)
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url("**/dashboards/loops?range=30d")
        assert TOKEN not in str(tab.context.cookies())
        tab.get_by_role("button", name="Sign out").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_hundred_thousand_runs(watched: Watched, new_store: Store) -> None:
    """Of very many runs the page counts all and lists the dearest."""
    fill_many_runs(new_store, 100_000)
    with serving(new_store.address) as url:
        tab = drawn(watched.tab(f"{url}/runs"))
        expect(tab.locator("[data-panel='cost_per_run']").first).to_contain_text(
            "100,000 runs"
        )
        assert tab.locator("#runs tbody tr").count() <= 500
        kept(tab, "many-runs")


@pytest.mark.parametrize("path", ["/dashboards/none", "/?range=ever"])
def test_what_there_is_not(watched: Watched, site: str, path: str) -> None:
    """A wrong address says what is right, and where to go on."""
    tab = watched.tab(f"{site}{path}")
    expect(tab.get_by_role("link", name="Overview").first).to_be_visible()
    assert findings(tab) == []
    watched.complaints.clear()  # the browser's own line about 404 and 400
