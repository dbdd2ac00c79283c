"""Texts of tiles and cells."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from farthing.collector.web.page.tables import as_csv
from farthing.collector.web.page.tiles import with_arrow
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


@pytest.mark.parametrize("name", ["=1+1", " =1+1", "\n@SUM(1)", "\t-2"])
def test_no_cell_is_computed(name: str) -> None:
    """A spreadsheet takes a cell for text, also where blanks stand before the sign."""
    panel = Panel(
        title="x", question="x?", chart="table", columns=(text("name"),), sql="SELECT 1"
    )
    [_, [cell]] = csv.reader(io.StringIO(as_csv(panel, [{"name": name}]), newline=""))
    assert cell == f"'{name}"
