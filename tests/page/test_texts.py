"""Texts of tiles and cells."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from farthing.alerts.budgets import Budget
from farthing.collector.web.page.asking import Answer
from farthing.collector.web.page.budget import month_limit_usd
from farthing.collector.web.page.tables import as_csv
from farthing.collector.web.page.tiles import tiles, with_arrow
from farthing.dashboards.macros import View
from farthing.dashboards.panel import Panel, text


@pytest.mark.parametrize(
    ("shown", "change", "told"),
    [
        ("+12%", "0.12", "▲ 12%"),
        ("-0.5%", "-0.005", "▼ 0.5%"),
        ("0%", "0", "0%"),
        ("-0.0%", "-0.0001", "0.0%"),
    ],
)
def test_a_change_has_its_direction(shown: str, change: str, told: str) -> None:
    """One that rounds to nothing has none."""
    assert with_arrow(shown, Decimal(change)) == told


def test_hours_without_spend_are_on_the_line() -> None:
    """In an hour without calls nothing was spent; one of which no cost is known is a
    gap."""
    ten = datetime(2026, 3, 18, 10)  # noqa: DTZ001  as ClickHouse's client gives it
    costs = {0: Decimal(2), 3: Decimal(1), 4: None, 5: Decimal(1), 6: Decimal(2)}
    bars = [
        {"time": ten + timedelta(hours=at), "series": "a", "cost_usd": usd}
        for at, usd in costs.items()
    ]
    view = View(
        datetime(2026, 3, 18, 9, tzinfo=UTC), datetime(2026, 3, 18, 16, 30, tzinfo=UTC)
    )
    spend = {
        "cost_usd": Decimal(6),
        "before_usd": None,
        "change": None,
        "unpriced_calls": 0,
    }
    [tile] = tiles(
        Answer("spend", [spend]),
        {"spend_by_model": Answer("spend_by_model", bars)},
        view,
        is_alone=False,
    )
    heights = [
        [point.split(",")[1] for point in line.attrib["points"].split()]
        for line in ET.fromstring(tile.picture)
    ]
    assert heights == [["1.0", "19.0", "19.0", "10.0"], ["10.0", "1.0"]]
    assert "from $2.000 to $2.000" in tile.picture


def _told(name: str) -> str:
    """A name as a cell of the CSV."""
    panel = Panel(
        title="x", question="x?", chart="table", columns=(text("name"),), sql="SELECT 1"
    )
    [_, [cell]] = csv.reader(io.StringIO(as_csv(panel, [{"name": name}]), newline=""))
    return cell


@pytest.mark.parametrize("name", ["=1+1", " =1+1", "\n@SUM(1)", "\t-2"])
def test_no_cell_is_computed(name: str) -> None:
    """A spreadsheet takes a cell for text, also where blanks stand before the sign."""
    assert _told(name) == f"'{name}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (";=1+1", ";'=1+1"),
        ("a; @SUM(1)", "a;' @SUM(1)"),
        ("a\t-2", "a\t'-2"),
        ("a\n=1", "a\n'=1"),
        ("a; b - c", "a; b - c"),
        ("gpt-4o", "gpt-4o"),
    ],
)
def test_no_part_of_a_cell_is_computed(name: str, told: str) -> None:
    """Nor where a spreadsheet begins a cell at a semicolon, a tab or a new line; other
    texts are left as they are."""
    assert _told(name) == told


BUDGETS = (
    Budget(name="all", of="everything", window="month", limit_usd=Decimal(6000)),
    Budget(name="less", of="everything", window="month", limit_usd=Decimal(5000)),
    Budget(name="day", of="everything", window="day", limit_usd=Decimal(9)),
    Budget(name="each", of="team", window="month", limit_usd=Decimal(1)),
    Budget(
        name="each unit", of="business_unit", window="month", limit_usd=Decimal(700)
    ),
    Budget(
        name="legal",
        of="business_unit",
        who="legal",
        window="month",
        limit_usd=Decimal(80),
    ),
)


@pytest.mark.parametrize(
    ("chosen", "limit_usd"),
    [
        ({}, 5000),
        ({"business_unit": ()}, 5000),
        ({"business_unit": ("legal",)}, 80),
        ({"business_unit": ("sales",)}, 700),
        ({"business_unit": ("(none)",)}, None),
        ({"business_unit": ("legal", "sales")}, None),
        ({"business_unit": ("legal",), "agent": ("a",)}, None),
        ({"model": ("gpt-5",)}, None),
    ],
)
def test_the_budget_of_what_is_chosen(
    chosen: dict[str, tuple[str, ...]], limit_usd: int | None
) -> None:
    """The tightest one of a month that is about just that: never one of more, of less,
    or of another time."""
    assert month_limit_usd(BUDGETS, chosen) == limit_usd


@pytest.mark.parametrize(
    ("forecast", "unpriced", "told"),
    [
        ("6420", 0, ("heads for 107% of the $6,000.00 budget", "bad")),
        ("3000", 0, ("heads for 50% of the $6,000.00 budget", "")),
        ("3000", 2, ("heads for ≥ 50% of the $6,000.00 budget", "")),
    ],
)
def test_a_forecast_beside_its_budget(
    forecast: str, unpriced: int, told: tuple[str, str]
) -> None:
    """Its share is red where the budget will not do, and a lower bound where the
    forecast is one."""
    row = {
        "month_usd": Decimal(900),
        "forecast_usd": Decimal(forecast),
        "unpriced_calls": unpriced,
    }
    now = datetime(2026, 3, 18, tzinfo=UTC)
    [tile] = tiles(
        Answer("forecast", [row]),
        {},
        View(now - timedelta(days=7), now),
        is_alone=False,
        limit_usd=Decimal(6000),
    )
    assert told in [(remark.text, remark.tone) for remark in tile.remarks]
