"""What `--since` understands."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.cli.options import Moment


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_duration_counts_back_from_now(text: str, back: timedelta) -> None:
    """Minutes, hours, days and weeks count back from now."""
    before = datetime.now(UTC)
    found = Moment().convert(text, None, None)
    assert before - back <= found <= datetime.now(UTC) - back


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20T08:30+02:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
        ("1066-10-14", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999w", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_utc(text: str, moment: datetime) -> None:
    """A date or time without a zone is UTC; nothing lies before 1970."""
    found = Moment().convert(text, None, None)
    assert found == moment
    assert found.utcoffset() == timedelta(0)


@given(st.text())
def test_nothing_else_ends_a_command_badly(text: str) -> None:
    """What is no moment is a wrong question, never a traceback."""
    with suppress(click.BadParameter):
        assert Moment().convert(text, None, None) <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["9999999999w", "7D", "-7d", "yesterday", ""])
def test_near_misses_are_refused(text: str) -> None:
    """A duration out of range, or with a unit that is none, is refused."""
    with pytest.raises(click.BadParameter):
        Moment().convert(text, None, None)


def test_the_future_is_refused_unless_asked_for() -> None:
    """Spending has no future; prices do."""
    with pytest.raises(click.BadParameter, match="in the future"):
        Moment().convert("2999-01-01", None, None)
    assert Moment(future=True).convert("2999-01-01", None, None).year == 2999
