"""Panels as pictures, drawn by the real renderer."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import altair as alt
import pytest

from farthing.collector.store.client import Store
from farthing.dashboards.catalogue import panels
from farthing.dashboards.charts import Frame, has_chart, png, spec, svg
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Panel
from farthing.dashboards.sparkline import sparkline
from farthing.dashboards.theme import DARK, LIGHT, PAGE
from tests.dashboards.test_panels import WEEK, answer

DRAWN: Final = [name for name, panel in panels().items() if has_chart(panel)]
FRAME: Final = Frame(
    640, 240, bucket_s=WEEK.bucket_s(hourly=True), span=(WEEK.since, WEEK.until)
)
TODAY: Final = View(
    datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=5)
)
HOSTILE: Final = "</script><script>alert(1)</script>' \" & \u202egnp.exe"


def texts(picture: str) -> str:
    """What is written in it; an error if it is no XML."""
    return " ".join(text for text in ET.fromstring(picture).itertext() if text.strip())


def bars(picture: str) -> list[str]:
    return re.findall(r'aria-roledescription="bar"', picture)


def assert_valid(made: dict[str, Any]) -> None:
    """Raises what the schema forbids; of a background it knows no null."""
    alt.Chart.from_dict({**made, "background": "white"})


@pytest.mark.parametrize("name", DRAWN)
def test_every_chart_is_drawn(demo_store: Store, name: str) -> None:
    """Of the demo's week each chart is a picture that says what it shows, without a
    number that is none, in the page's own colours, with no request to anywhere."""
    panel = panels()[name]
    # What is told of the loading is of today, not of the demo's week.
    told = answer(demo_store, name) or answer(demo_store, name, TODAY)
    made = spec(panel, told, FRAME)
    picture = svg(made)
    assert "NaN" not in picture
    assert "Infinity" not in picture
    assert re.search(r"var\(--\w", picture)
    assert not re.search(r'(href|src)="http', picture)
    assert texts(picture)
    assert made["description"] == f"{panel.title}. {panel.question}"
    assert made["background"] is None
    assert_valid(made)


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_drawn_of_nothing(name: str) -> None:
    """Without rows a chart is an empty picture, not an error."""
    assert bars(svg(spec(panels()[name], [], FRAME))) == []


def rows(*values: tuple[str, str | None]) -> list[dict[str, Any]]:
    at = datetime(2026, 3, 18, 14)  # noqa: DTZ001  as ClickHouse's client gives it
    return [
        {"time": at, "series": name, "cost_usd": Decimal(usd) if usd else None}
        for name, usd in values
    ]


def spend_by_model() -> Panel:
    return panels()["spend_by_model"]


def test_unknown_has_no_bar() -> None:
    """What is not known is not drawn as nothing spent, but stays in the legend."""
    picture = svg(spec(spend_by_model(), rows(("a", "2.5"), ("≥ b", None)), FRAME))
    assert len(bars(picture)) == 1
    assert "≥ b" in texts(picture)


def test_labels_of_cents() -> None:
    """Beside bars of dollars stands less than a cent as what it is, not as one cent."""
    units = [
        {"business_unit": name, "cost_usd": Decimal(usd), "unpriced_calls": 0}
        for name, usd in (("a", "56.4"), ("b", "0.00653"), ("c", "0"))
    ]
    told = texts(svg(spec(panels()["spend_by_unit"], units, FRAME)))
    assert "$56.40" in told
    assert "$0.0065" in told
    assert "$0.01" not in told
    assert "$0.00" in told


def test_times_are_utc() -> None:
    """A bar begins at its time in UTC, whatever zone the reader or the machine has."""
    made = spec(spend_by_model(), rows(("a", "1")), FRAME)
    [value] = made["datasets"]["rows"]
    assert value["time"] == "2026-03-18T14:00:00Z"
    assert made["encoding"]["x"]["scale"]["type"] == "utc"
    aware = [
        {**row, "time": row["time"].replace(tzinfo=UTC)} for row in rows(("a", "1"))
    ]
    assert spec(spend_by_model(), aware, FRAME) == made


def test_names_from_strangers_are_text() -> None:
    """A name is shown as it is, and is never markup."""
    picture = svg(spec(spend_by_model(), rows((HOSTILE, "1"), ("b", "1")), FRAME))
    assert "<script" not in picture
    assert "alert(1)" in texts(picture)


def test_a_name_keeps_its_hue() -> None:
    """Hues follow the names' order, and what is left over is last."""
    made = spec(
        spend_by_model(), rows(("≥ (others)", "9"), ("b", "1"), ("a", "2")), FRAME
    )
    assert made["encoding"]["color"]["scale"]["domain"] == ["a", "b", "≥ (others)"]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_pictures_have_colours_of_their_own(theme: Any) -> None:
    """For Slack and e-mail a chart is a PNG, with no CSS to ask."""
    made = spec(spend_by_model(), rows(("a", "1")), Frame(300, 120, theme=theme))
    assert "var(" not in str(made)
    assert png(made).startswith(b"\x89PNG")


def test_themes_have_as_many_hues() -> None:
    """What has a hue on the page has one in every picture."""
    assert len(PAGE.series) == len(LIGHT.series) == len(DARK.series)


def test_sparkline() -> None:
    """A line from the lower left to the upper right that says its numbers; of one value
    there is none, and of many no more points than can be seen."""
    grown = sparkline([0, 50, 100], width=102, height=22)
    assert 'points="1.0,21.0 51.0,11.0 101.0,1.0"' in grown
    assert 'aria-label="from 0 to 100, at most 100"' in grown
    assert sparkline([7]) == ""
    assert sparkline([7, None]) == ""
    assert len(ET.fromstring(sparkline(range(1000)))[0].attrib["points"].split()) <= 60


def test_a_sparkline_of_little_money_has_its_height() -> None:
    """Cents are as high as dollars, and are told in the words that are given."""
    cents = [Decimal("0.001"), Decimal("0.002")]
    line = sparkline(cents, width=102, height=22, said=lambda usd: f"{usd} USD")
    assert 'points="1.0,11.0 101.0,1.0"' in line
    assert 'aria-label="from 0.001 USD to 0.002 USD, at most 0.002 USD"' in line


def test_a_sparkline_has_gaps() -> None:
    """What is not known is neither nothing nor like its neighbours."""
    lines = ET.fromstring(sparkline([1, 2, None, 0, 1], width=102, height=22))
    assert [line.attrib["points"] for line in lines] == [
        "1.0,11.0 26.0,1.0",
        "76.0,21.0 101.0,11.0",
    ]


def test_a_bar_that_is_a_lower_bound_says_so() -> None:
    """The value beside it has the mark that totals have everywhere."""
    panel = panels()["spend_by_unit"]
    told = [
        {"business_unit": "a", "cost_usd": Decimal("19.87"), "unpriced_calls": 57},
        {"business_unit": "b", "cost_usd": Decimal("9.5"), "unpriced_calls": 0},
    ]
    shown = texts(svg(spec(panel, told, FRAME)))
    assert "≥ $19.87" in shown
    assert "$9.50" in shown
    assert "≥ $9.50" not in shown


def test_severities_have_the_colours_of_judgements() -> None:
    """The worst is red and at the bottom, what needs no look is grey; a series that is
    only called like one has a hue like any other name."""
    at = {"time": datetime(2026, 3, 18, 14)}  # noqa: DTZ001
    names = ("info", "warning", "error", "critical")
    told = [{**at, "series": name, "alerts": 1} for name in names]
    made = spec(panels()["alerts_over_time"], told, FRAME)
    scale = made["encoding"]["color"]["scale"]
    assert scale["domain"] == ["critical", "error", "warning", "info"]
    assert (scale["range"][0], scale["range"][3]) == (PAGE.bad, PAGE.series[-1])
    assert len(set(scale["range"])) == 4
    other = spec(spend_by_model(), rows(("critical", "1"), ("b", "1")), FRAME)
    assert PAGE.bad not in other["encoding"]["color"]["scale"]["range"]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.4, "0.1 s"), (40, "10 s"), (500, "2 min"), (600_000, "2 d")],
)
def test_durations_are_written_in_their_unit(seconds: float, written: str) -> None:
    """An axis of seconds is one of minutes, hours or days where it is long."""
    at = {"time": datetime(2026, 3, 18, 14)}  # noqa: DTZ001
    told = [{**at, "series": "p50", "lag_s": seconds}]
    assert written in texts(svg(spec(panels()["lag"], told, FRAME)))


def test_bars_of_one_time_stand_on_each_other() -> None:
    """The bars of one bucket add up: the next begins where the one before ends."""
    picture = svg(spec(spend_by_model(), rows(("a", "1"), ("b", "2")), FRAME))
    shapes = re.findall(r'"bar" d="M[\d.]+,([\d.]+)h[\d.]+v([\d.]+)h', picture)
    (top_a, high_a), (top_b, high_b) = [(float(y), float(h)) for y, h in shapes]
    assert top_b + high_b == pytest.approx(top_a)
    assert high_b == pytest.approx(2 * high_a)


def test_a_tooltip_tells_every_digit() -> None:
    """A chart draws floats, but what is read of a bar is the ledger's exact number; of
    what is not known it says so."""
    made = spec(
        spend_by_model(), rows(("a", "1234.560000000000100"), ("b", "2")), FRAME
    )
    told = [row["told_cost_usd"] for row in made["datasets"]["rows"]]
    assert told == ["$1,234.5600000000001", "$2.00"]
    assert "told_cost_usd" in str(made["encoding"]["tooltip"])


def test_a_time_without_anything_is_seen() -> None:
    """The axis spans the whole bars of the chosen range, not only where data is."""
    made = spec(spend_by_model(), rows(("a", "1")), FRAME)
    scale = made["encoding"]["x"]["scale"]
    since_ms, until_ms = (int(scale[n]["expr"]) for n in ("domainMin", "domainMax"))
    assert since_ms <= WEEK.since.timestamp() * 1000 < since_ms + FRAME.bucket_s * 1000
    assert until_ms >= WEEK.until.timestamp() * 1000
    assert since_ms % (FRAME.bucket_s * 1000) == 0
    assert "Thu 12" in texts(svg(made))


@pytest.mark.parametrize("days", [0.1, 1, 7, 30, 300, 900])
def test_any_span_has_times(days: float) -> None:
    """From hours to years, an axis of time has labels and not too many."""
    at = datetime(2026, 3, 18, 14, tzinfo=UTC)
    span = (at - timedelta(days=days), at)
    shown = spec(spend_by_model(), rows(("a", "1")), Frame(640, 240, span=span))
    assert 2 <= len(texts(svg(shown)).split("$")[0].split()) <= 40


def test_others_are_grey_and_on_top() -> None:
    """What is left over has the last hue and stands on the named ones."""
    made = spec(spend_by_model(), rows(("(others)", "9"), ("b", "1")), FRAME)
    scale = made["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "b": PAGE.series[0],
        "(others)": PAGE.series[-1],
    }
    assert [row["at"] for row in made["datasets"]["rows"]] == [1, 0]


def test_what_happened_is_marked_behind_its_turns() -> None:
    """Compactions, caches missed in a row and loops are bands with their names."""
    turns = [{"turn": n, "cost_usd": Decimal(1)} for n in range(1, 41)]
    marks = [
        {"turn": 5, "until_turn": 5, "what": "compaction"},
        {"turn": 20, "until_turn": 20, "what": "cache missed"},
        {"turn": 21, "until_turn": 21, "what": "cache missed"},
        {"turn": 30, "until_turn": 38, "what": "loop"},
    ]
    made = spec(panels()["run_cost"], turns, Frame(640, 240, marks=marks))
    assert_valid(made)
    said = texts(svg(made))
    assert "compaction" in said
    assert "cache missed, 2 turns" in said
    assert "loop, 9 turns" in said
    assert len(re.findall('"rect mark"', svg(made))) == 3


def test_marks_are_rows_of_a_panel(demo_store: Store) -> None:
    """What a panel names as its marks is a panel whose rows can be drawn on it."""
    marked = [name for name, panel in panels().items() if panel.marks]
    assert marked == ["run_context", "run_cost"]
    for name in marked:
        told = answer(demo_store, panels()[name].marks)
        made = spec(
            panels()[name], answer(demo_store, name), Frame(640, 240, marks=told)
        )
        assert "loop, 41 turns" in texts(svg(made))


def test_limits_are_drawn_when_they_are_near() -> None:
    """A value that comes near what is worth a look has a line there, and else none."""
    at = datetime(2026, 3, 18, 14)  # noqa: DTZ001  as ClickHouse's client gives it

    def lines(lag_s: float) -> int:
        told = [{"time": at, "series": "lag", "lag_s": lag_s}]
        return str(spec(panels()["lag"], told, FRAME)).count("strokeDash")

    assert [lines(1), lines(45), lines(500)] == [0, 1, 2]


def test_a_bar_leads_somewhere() -> None:
    """Where a place is given for a row, a click on its bar goes there."""
    units = panels()["spend_by_unit"]
    told = [{"business_unit": "a", "cost_usd": Decimal(1), "unpriced_calls": 0}]
    leads = Frame(300, 120, href=lambda row: f"/cost?unit={row['business_unit']}")
    made = spec(units, told, leads)
    assert made["layer"][0]["encoding"]["href"] == {"field": "href", "type": "nominal"}
    assert [row["href"] for row in made["datasets"]["rows"]] == ["/cost?unit=a"]
    nowhere = Frame(300, 120, href=lambda _: "")
    assert "href" not in str(spec(units, told, nowhere))


def test_severities_have_their_colours() -> None:
    """Bars of alerts are red where critical and amber where they warn, and few of them
    are counted in whole numbers."""
    rows = [
        {"time": WEEK.since, "series": name, "alerts": 1}
        for name in ("critical", "error", "warning")
    ]
    made = spec(panels()["alerts_over_time"], rows, FRAME)
    scale = made["encoding"]["color"]["scale"]
    hues = dict(zip(scale["domain"], scale["range"], strict=True))
    assert (hues["critical"], hues["warning"]) == (PAGE.bad, PAGE.series[1])
    assert len(set(hues.values())) == 3
    assert made["encoding"]["y"]["axis"]["values"] == [0, 1, 2, 3]
