"""What a URL chooses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from farthing.collector.web.page.choice import RANGES, BadChoice, Choice, Sort

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OLDEST = datetime(2026, 9, 1, tzinfo=UTC)


def read(query: str) -> Choice:
    return Choice.read(parse_qsl(query))


@pytest.mark.parametrize("name", RANGES)
def test_a_range_ends_now(name: str) -> None:
    """A named range is so long, and ends now."""
    view = read(f"range={name}").view(NOW, OLDEST)
    assert (view.until - view.since, view.until) == (RANGES[name][1], NOW)


def test_a_range_begins_at_a_whole_hour() -> None:
    """As spend is kept by the hour, and as `farthing report` has it: panels of hours
    and of moments are of the same time."""
    view = read("range=1d").view(NOW + timedelta(minutes=40, seconds=5), OLDEST)
    assert view.since == NOW - timedelta(days=1)


def test_all_begins_with_the_ledger() -> None:
    """The whole time begins with the ledger's first hour."""
    view = read("range=all").view(NOW, OLDEST)
    assert (view.since, view.until) == (OLDEST, NOW)


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ("from=2026-11-01&to=2026-11-08", "01T00:00:00", "08T23:59:59"),
        ("from=2026-11-01T06:00&to=2026-11-01T07:59", "01T06:00:00", "01T07:59:59"),
        ("from=2026-11-01T06:00%2B02:00&to=2026-11-02", "01T04:00:00", "02T23:59:59"),
        ("from=2026-11-20", "20T00:00:00", "26T12:00:00"),
        ("to=2026-11-20", "13T23:59:59", "20T23:59:59"),
    ],
)
def test_dates_are_of_utc_and_whole(query: str, since: str, until: str) -> None:
    """Dates are of UTC unless they name a zone; the last day, or minute, is whole."""
    view = read(query).view(NOW, OLDEST)
    told = [f"{moment:%dT%H:%M:%S}" for moment in (view.since, view.until)]
    assert told == [since, until]


def test_a_named_range_wins_over_dates() -> None:
    """Who chooses another range in the form, which sends the old dates too, gets it."""
    view = read("range=1d&from=2026-11-01&to=2026-11-08").view(NOW, OLDEST)
    assert view.until - view.since == timedelta(days=1)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("range=week", "7d"),
        ("from=yesterday", "2026-11-08"),
        ("from=2026-11-08&to=2026-11-01", "begin before it ends"),
        ("from=2027-01-01", "not in the future"),
    ],
)
def test_what_cannot_be_chosen_is_told(query: str, told: str) -> None:
    """What is wrong in a URL is named, with what may be written."""
    with pytest.raises(BadChoice, match=told):
        read(query).view(NOW, OLDEST)


def test_a_url_says_the_whole_choice() -> None:
    """What a URL chooses is chosen by the links made of it, whatever the names are."""
    names = ("it's \\ \"<&>", "a=b&c", "‮rtl", "100%", "+")
    choice = Choice(
        "30d",
        chosen={"agent": names, "model": ("gpt-5",)},
        sorts={"runs": Sort("cost_usd", descending=True)},
    )
    assert read(urlsplit(choice.url("/runs")).query) == choice
    assert choice.view(NOW, OLDEST).chosen["agent"] == names


def test_a_filter_replaces_its_own_and_leaves_the_others() -> None:
    """Drilling down keeps range and other filters; tables are sorted anew."""
    before = read("range=1d&agent=a&model=m&sort=runs.-cost_usd")
    after = before.choosing("agent", "b")
    assert after.chosen == {"agent": ("b",), "model": ("m",)}
    assert (after.range, dict(after.sorts)) == ("1d", {})
    assert before.choosing("agent").chosen == {"model": ("m",)}
