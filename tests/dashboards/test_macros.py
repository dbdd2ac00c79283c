"""Grafana's macros, expanded without Grafana."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.collector.store.client import Store
from farthing.dashboards.macros import View, expanded
from farthing.errors import ConfigError

UNTIL = datetime(2026, 3, 18, 14, 30, tzinfo=UTC)


def view(days: float = 7, **chosen: tuple[str, ...]) -> View:
    return View(UNTIL - timedelta(days=days), UNTIL, chosen)


def test_time() -> None:
    """A time filter has both ends in it, as seconds."""
    sql = expanded("WHERE $__timeFilter(t.time)", view(days=1))
    since, until = int(UNTIL.timestamp()) - 86_400, int(UNTIL.timestamp())
    assert sql == (
        f"WHERE (t.time >= toDateTime({since}, 'UTC')"
        f" AND t.time <= toDateTime({until}, 'UTC'))"
    )


def test_nothing_chosen_is_everything() -> None:
    """A test of a variable of which nothing is chosen is left out, nested ones too."""
    test = "a IN (SELECT f(b, c) WHERE b IN (${v:singlequote}))"
    sql = f"WHERE $__conditionalAll({test}, $v)"
    assert expanded(sql, view()) == "WHERE 1=1"
    assert expanded(sql, view(v=("",))) == "WHERE 1=1"
    assert "b IN ('x','y')" in expanded(sql, view(v=("x", "y")))


def test_buckets_suit_the_range() -> None:
    """A bucket is a nice length; of hourly data it is an hour or more."""
    assert view(days=1 / 24).bucket_s(hourly=False) == 60
    assert view(days=1 / 24).bucket_s(hourly=True) == 3600
    assert view(days=7).bucket_s(hourly=True) == 14_400
    assert view(days=90).bucket_s(hourly=True) == 86_400
    assert view(days=5000).bucket_s(hourly=True) == 7 * 86_400


def test_an_unknown_macro_is_an_error() -> None:
    """A macro that only newer plugins know does not pass."""
    with pytest.raises(ConfigError, match=r"\$__rateColumns"):
        expanded("SELECT $__rateColumns(a)", view())


@given(value=st.text(min_size=1).filter(lambda v: "\0" not in v and v.isprintable()))
def test_any_value_is_a_value(ledger_store: Store, value: str) -> None:
    """Whatever a stranger calls an agent comes back as it is, and is never SQL."""
    sql = expanded("SELECT ${v:singlequote} AS v", view(v=(value,)))
    assert ledger_store.rows(sql) == [{"v": value}]
